# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: look at the servers of a profile; nothing is changed, nobody is judged from afar.

Of this host, processes are looked at and the server is asked; of every other host that shares the
home, only the record is repeated.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime, timezone
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, generations, quotas
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import crypto
from ansible_collections.hpcc.notebook.plugins.module_utils._server import limits, probe, readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server import state as server_state
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    Observed,
    Running,
    around,
    changed_since,
    elsewhere,
    endpoint,
    observe,
    recorded_job,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.place import here, notice
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import Trust
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record
from ansible_collections.hpcc.notebook.plugins.module_utils._server.report import newer, version
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.state import Seen
from ansible_collections.hpcc.notebook.plugins.module_utils._server.usage import measured

ANSWER_WITHIN = 5.0
WORDS = 160  # characters of the log that stand in a note


def look(profile: str, session: str) -> dict[str, object]:
    """Describe the server of this host, those that are recorded, and what is damaged."""
    layout = here(profile)
    others, damaged = elsewhere(layout)
    observed, own = _observed(layout, session)
    user = person(layout.uid)[0]
    servers = [_this(layout, session, observed), *(_other(layout, each) for each in others)]
    return {
        "host": layout.host,
        "profile": profile,
        "servers": [{**each, "user": user} for each in servers],
        "damaged": [*own, *damaged, *filter(None, [notice(layout)])],
        "certificate_days": _days_left(layout),
        **recorded_job(layout),
        **quotas.fields(quotas.at(layout.home, user)),  # the file system is everybody's
    }


def _observed(layout: Layout, session: str) -> tuple[Observed, list[str]]:
    """What is here; a record that cannot be read does not hide a server that runs."""
    try:
        return observe(layout, session), []
    except NotebookError as error:
        return around(layout, session, None), [str(error)]


def _other(layout: Layout, record: Record) -> dict[str, object]:
    return {"host": record.host, "seen": False, **server_record.way_in(record, layout.records)}


def _this(layout: Layout, session: str, observed: Observed) -> dict[str, object]:
    running = observed.running
    seen: Seen = _absent(layout, observed)
    activity: dict[str, object] = {}
    if running:
        usage = measured(running.pid, cpu_said=running.launch.cpu_limit)
        seen, activity = _asked(layout, observed, running)
        seen = replace(seen, near=tuple(limits.warnings(usage)))
        activity = {**activity, **vars(usage)}
    return {
        "host": layout.host,
        "seen": True,
        "session": session,
        **(server_record.way_in(observed.record, layout.records) if observed.record else {}),
        **(_living(layout, running) if running else {}),
        **activity,
        "state": server_state.state(seen),
        "notes": server_state.notes(seen),
    }


def _absent(layout: Layout, observed: Observed) -> Seen:
    return Seen(
        session=observed.session,
        recorded=observed.record is not None,
        rebooted=observed.rebooted(),
        last_words=_last_words(layout) if observed.record and not observed.rebooted() else "",
    )


def _asked(layout: Layout, observed: Observed, running: Running) -> tuple[Seen, dict[str, object]]:
    """Ask the server itself, over TLS, as whoever knows its token."""
    now = readiness.certificate_sha256(layout)
    noted = observed.record.certificate_sha256 if observed.record else now
    answer, trouble = _answer(layout, running, list(dict.fromkeys((now, noted))))
    trouble = trouble or probe.lost_socket(endpoint(layout, running.launch)) or ""
    seen = Seen(
        alive=True,
        answers=bool(answer),
        session=observed.session,
        age=running.age(),
        renewed=bool(answer) and answer["certificate_sha256"] != now,
        outdated=changed_since(layout, running),
        root=_root_trouble(layout),
        newer=newer(running),
        trouble=trouble,
    )
    return seen, answer


def _root_trouble(layout: Layout) -> str:
    """Jupyter serves on without its directory, and answers "Unhandled error" there."""
    try:
        readiness.require_root_directory(layout)
    except NotebookError as error:
        return str(error)
    return ""


def _answer(
    layout: Layout, running: Running, certificates: Sequence[str]
) -> tuple[dict[str, object], str]:
    """What it says to whoever trusts one of its certificates, or what is wrong with it."""
    trouble = ""
    for shown in certificates:
        try:
            return _status(layout, running, shown), ""
        except NotebookError as error:
            trouble = error.what
        except OSError:
            break
    return {}, trouble


def _status(layout: Layout, running: Running, shown: str) -> dict[str, object]:
    where, token = endpoint(layout, running.launch), readiness.token(layout)
    answer = probe.request(where, Trust(shown), "GET", "/api/status", token, ANSWER_WITHIN)
    if answer.status != 200:
        raise NotebookError(f"the profile's token was answered with {answer.status}")
    found = json.loads(answer.body)
    return {
        "kernels": found["kernels"],
        "last_activity": found["last_activity"],
        "certificate_sha256": shown,
    }


def _living(layout: Layout, running: Running) -> dict[str, object]:
    launch = running.launch
    over_tcp = launch.transport == "tcp"
    return {
        "pid": running.pid,
        "since": running.since(),
        "frontend": launch.frontend,
        "version": version(launch, running.python),
        "prefix": generations.prefix_of(running.python),
        "serves": str(launch),
        "transport": launch.transport,
        **({"port": launch.port} if over_tcp else {"socket": layout.socket}),
        "gateway_socket": server_record.gateway_socket(layout.records, layout.host, layout.stem),
        "certificate_sha256": readiness.certificate_sha256(layout),
    }


def _days_left(layout: Layout) -> int | None:
    """For how many whole days browsers accept the profile's certificate."""
    key, certificate = files.read(layout.key), files.read(layout.certificate)
    if not key or not certificate:
        return None
    found = crypto.inspect(key, certificate)
    if isinstance(found, str):
        return None
    return math.floor((found.not_after - datetime.now(timezone.utc)).total_seconds() / 86400)


def _last_words(layout: Layout) -> str:
    """The end of the log: it says why a server ended by itself."""
    text = (files.read(layout.log) or b"").decode("utf-8", "replace").strip()
    token = readiness.token(layout)
    last = text.splitlines()[-1] if text else ""
    return (last.replace(token, "(token)") if token else last)[-WORDS:]

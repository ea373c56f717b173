# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: what the module notebook_server says; a server called running answers for it."""

from __future__ import annotations

import site
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from shlex import quote
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common import commands
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import generations
from ansible_collections.hpcc.notebook.plugins.module_utils._server import probe, readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server import session as server_session
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    FRONTENDS,
    Launch,
    Layout,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    Observed,
    Running,
    changed_since,
    endpoint,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.place import notice
from ansible_collections.hpcc.notebook.plugins.module_utils._server.plan import Plan, difference
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import Endpoint, Trust
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.state import OUTDATED
from ansible_collections.hpcc.notebook.plugins.module_utils._server.stop import Stopped

POLL = 0.05
_RESTART = f"Restart it: {commands.RESTART}"
ANSWER_WITHIN = 5.0


@dataclass(frozen=True)
class Request:
    """What is asked for: the parameters of the module."""

    profile: str
    state: str
    launch: Launch
    session: str
    timeout: int
    second: bool


@dataclass(frozen=True)
class Outcome:
    """What the module reports."""

    changed: bool
    report: dict[str, object]
    diff: dict[str, str]
    warnings: tuple[str, ...] = ()


def reported(layout: Layout, request: Request, observed: Observed, plan: Plan) -> Outcome:
    """What is true, or would be; what is called running has to answer first."""
    kept = None if plan.stop else observed.running
    launch = kept.launch if kept else request.launch if plan.start else None
    login = person(layout.uid)[0]
    warnings = _confirmed(layout, request, kept) if kept else ()
    if plan.start:
        warning = server_session.what_survives(layout.uid, login).warning
        warnings = (warning,) if warning else ()
    if launch and (noticed := notice(layout)):
        warnings = (*warnings, noticed)
    report = {
        "host": layout.host,
        "user": login,
        "session": request.session,
        "state": "started" if launch else "stopped",
        "reason": plan.reason or ("already running" if launch else "not running"),
        **(_way_in(layout, launch, _python(kept)) if launch else {}),
        **process(kept),
    }
    before = observed.running.launch if observed.running else None
    return Outcome(bool(plan.reason), report, _diff(before, launch), warnings)


def recorded_elsewhere(layout: Layout, others: Sequence[Record], damaged: Sequence[str]) -> Outcome:
    """One notebook at a time is what people want; the one that there is gets reported."""
    first = others[0]
    names = [record.called if record.host == layout.host else record.host for record in others]
    hosts = ", ".join(names)
    report = {
        "host": names[0],
        "user": person(layout.uid)[0],
        "state": "elsewhere",
        "reason": f"a server is recorded on {hosts}, so none was started on {layout.host}; "
        f"if {names[0]} is gone for good, forget it: rm {quote(_file(layout, first))}",
        "url": f"https://127.0.0.1:{first.port}" if first.transport == "tcp" else "",
        **server_record.way_in(first, layout.records),
    }
    return Outcome(False, report, _diff(None, None), tuple(damaged))


def _file(layout: Layout, record: Record) -> str:
    """Where the record of another host lies."""
    short = f"{layout.records}/{record.host}.json"
    return short if short != layout.record else f"{layout.records}/{record.node}.json"


def version(launch: Launch, python: str) -> str:
    """Front end and version, as installed beside a Python that serves; ~/.local does not count."""
    frontend, ours = FRONTENDS[launch.frontend], generations.pinned(sys.executable)
    own = [place for place in sys.path if place != site.getusersitepackages()]
    places = own if python in ("", sys.executable, ours) else generations.packages_of(python)
    for found in metadata.distributions(name=frontend.distribution, path=places):
        return f"{frontend.title} {found.version}"
    if places is not own:
        return frontend.title  # it serves, whatever has become of its packages
    todo = f"Add {frontend.distribution} to anaconda_packages and run setup.yml."
    raise NotebookError(f"{frontend.title} is not installed", sys.prefix, todo)


def newer(running: Running) -> str:
    """What to say of a server that was started before an upgrade."""
    return generations.superseded(running.python, sys.executable)


def _python(running: Running | None) -> str:
    return running.python if running else generations.pinned(sys.executable)


def process(running: Running | None) -> dict[str, object]:
    """Which process it is, and since when."""
    return {"pid": running.pid, "since": running.since()} if running else {}


def stopped_by(stopped: Stopped) -> dict[str, object]:
    """What it took to stop a server."""
    return {"stopped_by": stopped.how, "kernels_ended": stopped.kernels}


def _confirmed(layout: Layout, request: Request, running: Running) -> tuple[str, ...]:
    """Let a running server prove itself; say what only a restart would change."""
    where, shown = endpoint(layout, running.launch), trust(layout)
    _require_reachable(running, where)
    _wait_until_private(layout, request, running, where, shown)
    token = readiness.token(layout)
    refused = probe.token_reason(where, shown, token, ANSWER_WITHIN)
    old = refused and f"{refused}; restart the server"
    if not old and changed_since(layout, running):
        old = f"the server is left as it is, but {OUTDATED}"
    return tuple(filter(None, [difference(running.launch, request.launch), old, newer(running)]))


def _require_reachable(running: Running, where: Endpoint) -> None:
    """Know at once when something has removed the socket from under a server."""
    lost = probe.lost_socket(where)
    if lost:
        what = f"the server (process {running.pid}) and its kernels go on, out of reach: {lost}"
        raise NotebookError(what, str(where), _RESTART)


def _wait_until_private(
    layout: Layout, request: Request, running: Running, where: Endpoint, shown: Trust
) -> None:
    """Another run may have started it a moment ago, or may have been killed while it did."""
    left = max(ANSWER_WITHIN, request.timeout - running.age())
    deadline = time.monotonic() + left
    while True:
        try:
            return probe.require_private(where, shown, ANSWER_WITHIN)
        except OSError as error:
            if time.monotonic() > deadline or not running.alive():
                what = f"the server (process {running.pid}) does not answer"
                todo = f"Look at {layout.log}, then stop it and start it again."
                raise NotebookError(what, str(where), todo) from error
        time.sleep(POLL)


def _way_in(layout: Layout, launch: Launch, python: str) -> dict[str, object]:
    """What a tunnel needs to know."""
    over_tcp = launch.transport == "tcp"
    return {
        "frontend": launch.frontend,
        "version": version(launch, python),
        "transport": launch.transport,
        **({"port": launch.port} if over_tcp else {"socket": layout.socket}),
        "gateway_socket": server_record.gateway_socket(layout.records, layout.host, layout.stem),
        "certificate_sha256": readiness.certificate_sha256(layout),
        "url": f"https://127.0.0.1:{launch.port}" if over_tcp else "",
        "prefix": generations.prefix_of(python),
    }


def _diff(before: Launch | None, after: Launch | None) -> dict[str, str]:
    return {
        "before": f"{before}\n" if before else "no server\n",
        "after": f"{after}\n" if after else "no server\n",
    }

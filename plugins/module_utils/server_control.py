# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: bring the server of a profile on this host into the state that is asked for.

Observe, decide, apply unless only asked, report: the four steps of the module notebook_server.
"""

from __future__ import annotations

import os
import site
import sys
import time
from dataclasses import dataclass, replace
from importlib import metadata

from ansible_collections.hpcc.notebook.plugins.module_utils import (
    files,
    probe,
    processes,
    readiness,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils.probe import Endpoint, Trust
from ansible_collections.hpcc.notebook.plugins.module_utils.server import (
    FRONTENDS,
    Launch,
    Layout,
    difference,
    require_short_sockets,
    why_start,
    why_stop,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.server_observe import (
    Observed,
    Running,
    endpoint,
    observe,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.server_start import (
    person,
    require_free,
    start,
    write_record,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.server_stop import stop

POLL = 0.05
ANSWER_WITHIN = 5.0


@dataclass(frozen=True)
class Request:
    """What is asked for: the parameters of the module."""

    profile: str
    state: str
    frontend: str
    transport: str
    port: int
    session: str
    timeout: int

    @property
    def launch(self) -> Launch:
        return Launch(self.frontend, self.transport, self.port)


@dataclass(frozen=True)
class Plan:
    """What is going to be done and why; None where nothing is."""

    stop: str | None
    start: str | None
    note: str | None

    @property
    def reason(self) -> str | None:
        return self.start or self.stop or self.note


@dataclass(frozen=True)
class Outcome:
    """What the module reports."""

    changed: bool
    report: dict[str, object]
    diff: dict[str, str]
    warnings: tuple[str, ...] = ()


def carry_out(request: Request, *, check: bool) -> Outcome:
    """Do what is asked, or only say what would be done."""
    layout = Layout(files.home(), request.profile, processes.short_hostname(), os.geteuid())
    require_short_sockets(layout)
    observed = observe(layout, request.session)
    plan = decide(request, observed)
    if plan.start:
        _require_startable(layout, request, observed)
    if check or not plan.reason:
        return _reported(layout, request, observed, plan)
    files.make_private_directory(layout.local)
    with processes.locked(layout.lock, request.timeout):
        # What was seen before may have changed while another run held the lock.
        observed = observe(layout, request.session)
        return _applied(layout, request, observed, decide(request, observed))


def decide(request: Request, observed: Observed) -> Plan:
    """Compare what there is with what is asked for."""
    running = observed.running.launch if observed.running else None
    start_reason = why_start(request.state, running, observed.session, observed.past())
    stop_reason = why_stop(request.state, running, observed.session)
    unnoted = running and not stop_reason and not observed.record_fits()
    return Plan(stop_reason, start_reason, "it ran without a record" if unnoted else None)


def _applied(layout: Layout, request: Request, observed: Observed, plan: Plan) -> Outcome:
    """Carry the plan out, then report as if it had only been asked for, with what came of it."""
    outcome = _reported(layout, request, observed, plan)
    stopped_by = stop(layout, request.session, observed) if plan.stop else ""
    now = observed.running if not plan.stop else None
    if plan.start:
        now = start(layout, request.session, request.launch, sys.executable, request.timeout)
    if now and (plan.start or plan.note):
        shown = readiness.certificate_sha256(layout)
        write_record(layout, request.session, now, _version(now.launch), shown)
    extra = {**_process(now), **({"stopped_by": stopped_by} if stopped_by else {})}
    return replace(outcome, report={**outcome.report, **extra})


def _require_startable(layout: Layout, request: Request, observed: Observed) -> None:
    """Everything that would make a start fail, before anything is changed."""
    if layout.uid == 0:
        what = "a notebook server must not run as root"
        raise NotebookError(what, layout.host, "Connect as an ordinary user.")
    processes.program("tmux")
    _version(request.launch)
    readiness.require_ready(layout)
    running, wanted = observed.running, endpoint(layout, request.launch)
    if running is None or endpoint(layout, running.launch) != wanted:
        require_free(layout, request.launch)


def _version(launch: Launch) -> str:
    """Front end and version, as installed beside this Python; ~/.local does not count."""
    frontend = FRONTENDS[launch.frontend]
    places = [place for place in sys.path if place != site.getusersitepackages()]
    for found in metadata.distributions(name=frontend.distribution, path=places):
        return f"{frontend.title} {found.version}"
    todo = f"Add {frontend.distribution} to anaconda_packages and run setup.yml."
    raise NotebookError(f"{frontend.title} is not installed", sys.prefix, todo)


def _reported(layout: Layout, request: Request, observed: Observed, plan: Plan) -> Outcome:
    """What is true, or would be; what is called running has to answer first."""
    kept = None if plan.stop else observed.running
    launch = kept.launch if kept else request.launch if plan.start else None
    warnings = _confirmed(layout, request, kept) if kept else ()
    report = {
        "host": layout.host,
        "user": person(layout.uid)[0],
        "session": request.session,
        "state": "started" if launch else "stopped",
        "reason": plan.reason or ("already running" if launch else "not running"),
        **(_way_in(layout, launch) if launch else {}),
        **_process(kept),
    }
    before = observed.running.launch if observed.running else None
    return Outcome(bool(plan.reason), report, _diff(before, launch), warnings)


def _confirmed(layout: Layout, request: Request, running: Running) -> tuple[str, ...]:
    """Let a running server prove itself; say what only a restart would change."""
    where, shown = endpoint(layout, running.launch), trust(layout)
    _wait_until_private(layout, request, running, where, shown)
    token = readiness.token(layout)
    refused = probe.token_reason(where, shown, token, ANSWER_WITHIN)
    other = difference(running.launch, request.launch)
    return tuple(filter(None, [other, refused and f"{refused}; restart the server"]))


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


def _process(running: Running | None) -> dict[str, object]:
    return {"pid": running.pid, "since": running.since()} if running else {}


def _way_in(layout: Layout, launch: Launch) -> dict[str, object]:
    """What a tunnel needs to know."""
    over_tcp = launch.transport == "tcp"
    return {
        "frontend": launch.frontend,
        "version": _version(launch),
        "transport": launch.transport,
        **({"port": launch.port} if over_tcp else {"socket": layout.socket}),
        "certificate_sha256": readiness.certificate_sha256(layout),
        "url": f"https://127.0.0.1:{launch.port}" if over_tcp else "",
    }


def _diff(before: Launch | None, after: Launch | None) -> dict[str, str]:
    return {
        "before": f"{before}\n" if before else "no server\n",
        "after": f"{after}\n" if after else "no server\n",
    }

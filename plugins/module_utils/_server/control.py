# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: bring the server of a profile on this host into the state that is asked for.

Observe, decide, apply unless only asked, report: the four steps of the module notebook_server.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import (
    files,
    generations,
    processes,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import readiness, trial
from ansible_collections.hpcc.notebook.plugins.module_utils._server import report as server_report
from ansible_collections.hpcc.notebook.plugins.module_utils._server import session as server_session
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    Layout,
    require_short_sockets,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    Observed,
    Running,
    a_job_may_begin,
    elsewhere,
    endpoint,
    observe,
    recorded_job,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.place import here, startable
from ansible_collections.hpcc.notebook.plugins.module_utils._server.plan import ENDED, Plan, decide
from ansible_collections.hpcc.notebook.plugins.module_utils._server.report import (
    Outcome,
    Request,
    recorded_elsewhere,
    reported,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.start import (
    require_free,
    require_modules,
    start,
    write_record,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.stop import stop, sweep

# Seconds that a server gets at least which has served already, in its trial or before: with the old
# one ended, giving up early on a busy machine would leave nobody serving.
_PROVED = 60.0
A_JOB_WAITS = (
    "a job was submitted for this profile, too, and by its files may begin at any time: status "
    "asks its scheduler, stop ends both"
)


def carry_out(request: Request, *, check: bool) -> Outcome:
    """Do what is asked, or only say what would be done."""
    layout = here(request.profile)
    require_short_sockets(layout)
    observed = observe(layout, request.session)
    plan = decide(request.state, observed.found())
    others, damaged = elsewhere(layout) if plan.start else ([], [])
    if others and not observed.running and not request.second:
        return recorded_elsewhere(layout, others, damaged)
    if plan.start:
        _require_startable(layout, request, observed)
    begins = plan.start and not observed.running
    serves = any(other.job for other in others)
    also = [A_JOB_WAITS] if begins and not serves and a_job_may_begin(layout) else []
    outcome = _done(layout, request, observed, plan, check=check)
    report = {**outcome.report, **(recorded_job(layout) if request.state in ENDED else {})}
    warnings = tuple(map(printable, (*outcome.warnings, *also, *damaged)))
    return replace(outcome, report=report, warnings=warnings)


def _done(
    layout: Layout, request: Request, observed: Observed, plan: Plan, *, check: bool
) -> Outcome:
    if check or not plan.reason:
        return reported(_target(layout, plan), request, observed, plan)
    held = startable(layout)  # not where a server lives: a neighbour may have that by now
    files.make_private_directory(held.local)
    with processes.locked(held.lock, request.timeout):
        # What was seen before may have changed while another run held the lock.
        layout = here(request.profile)
        observed = observe(layout, request.session)
        return _applied(layout, request, observed, decide(request.state, observed.found()))


def _target(layout: Layout, plan: Plan) -> Layout:
    """Where the server is that the report speaks of: a new one may get another directory."""
    return startable(layout) if plan.start else layout


def _applied(layout: Layout, request: Request, observed: Observed, plan: Plan) -> Outcome:
    """Carry the plan out, then report as if it had only been asked for, with what came of it."""
    target = _target(layout, plan)
    outcome = reported(target, request, observed, plan)
    if plan.start and observed.running:
        trial.require_serving(target, request.launch, _python(), request.timeout)
    stopped = stop(layout, request.session, observed) if plan.stop else None
    now = observed.running if not plan.stop else None
    if plan.start:
        now = _started(target, request, observed.running)
    if plan.mend and observed.tmux:
        server_session.mend(layout, request.session, observed.tmux)
    if now and (plan.start or plan.note):
        _note(target, request, now)
    if plan.sweep:
        sweep(layout)
    extra = server_report.stopped_by(stopped) if stopped else {}
    return replace(outcome, report={**outcome.report, **server_report.process(now), **extra})


def _started(layout: Layout, request: Request, before: Running | None) -> Running:
    """Start what is asked for; should it fail after its trial, bring back what there was."""
    given = layout, request.session
    within = max(request.timeout, _PROVED) if before else request.timeout
    try:
        return start(*given, request.launch, _python(), within)
    except NotebookError as error:
        if before is None:
            raise
        again = f"{before.launch} was started again instead."
        try:
            _note(layout, request, start(*given, before.launch, before.python, within))
        except NotebookError as too:
            again = f"{before.launch} did not start again either ({too.what}): nothing runs now."
        raise NotebookError(error.what, error.where, f"{again} {error.todo}".strip()) from error


def _python() -> str:
    """What serves: this Python, by the path that no upgrade turns."""
    return generations.pinned(sys.executable)


def _note(layout: Layout, request: Request, running: Running) -> None:
    shown = readiness.certificate_sha256(layout)
    version = server_report.version(running.launch, running.python)
    write_record(layout, request.session, running, version, shown)


def _require_startable(layout: Layout, request: Request, observed: Observed) -> None:
    """Everything that would make a start fail, before anything is changed."""
    if layout.uid == 0:
        what = "a notebook server must not run as root"
        raise NotebookError(what, layout.host, "Connect as an ordinary user.")
    processes.program("tmux")
    server_report.version(request.launch, _python())
    readiness.require_ready(layout)
    if request.launch.environments:
        readiness.require_environment_kernels(layout)
    require_modules(request.launch, layout.home, *person(layout.uid))
    running, target = observed.running, startable(layout)
    if running is None or endpoint(layout, running.launch) != endpoint(target, request.launch):
        require_free(target, request.launch)

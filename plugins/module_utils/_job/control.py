# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: bring the job of a profile into the state that is asked for."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission as job_record
from ansible_collections.hpcc.notebook.plugins.module_utils._job import succession
from ansible_collections.hpcc.notebook.plugins.module_utils._job.look import (
    after,
    by_files,
    explained,
    joined,
    look,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.replacement import recorded
from ansible_collections.hpcc.notebook.plugins.module_utils._job.report import report
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import (
    ANYTHING,
    Outcome,
    Request,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.restart import (
    nothing_left_of,
    require_serving_here,
    restarted_in_place,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.scheduler import (
    Planned,
    Scheduler,
    adopt_settings,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.stop import stopped
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import Submission
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submit import (
    follow,
    planned_job,
    submit,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import (
    STARTING,
    STOPPED,
    Known,
    View,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server import report as server_report
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch, Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.place import here
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.start import site_environment

ALL_THE_SAME = "The job that there is was left as it is; stop and start ask for it all the same."
FIRST_QUESTION = 2.0  # seconds after which a new job is asked for: what is in vain shows by then
BEGINS_WITHIN = 5.0  # seconds more for a job that runs then: another execution would come too late


def carry_out(request: Request, *, check: bool) -> Outcome:
    """Do what is asked, or only say what would be done."""
    layout = here(request.profile)
    before = recorded(layout)
    if before is None and request.state in ("found", "joined"):
        return Outcome(False, report(layout, View()))
    scheduler = _scheduler(layout, request, before)
    if request.state in ("stopped", "absent"):
        return stopped(layout, scheduler, request, check=check)
    if request.state == "found":
        return Outcome(False, report(layout, explained(scheduler, look(layout, scheduler))))
    if request.state == "joined":
        return _joined(layout, scheduler, request)
    return _started(layout, scheduler, request, check=check)


def _scheduler(layout: Layout, request: Request, before: Submission | None) -> Scheduler:
    """That of the job that there is; a new job goes to the one that the site names now."""
    if before is None:
        return _found(layout, request.launch, "")
    launch = request.launch if request.launch.modules else before.launch
    scheduler = _found(layout, launch, before.scheduler)
    begins = request.state in ("started", "restarted")
    if not begins or _still_named(before, request) or look(layout, scheduler).alive:
        return scheduler
    return _found(layout, request.launch, "")


def _still_named(before: Submission, request: Request) -> bool:
    """Whether the site names that scheduler now, so that it need not be asked for this."""
    same = bool(request.launch.modules) or not before.launch.modules
    with contextlib.suppress(NotebookError):
        return same and Scheduler().name == before.scheduler
    return False


def _found(layout: Layout, launch: Launch, name: str) -> Scheduler:
    """Where the modules of a launch, and the site's own files, have put its commands."""
    adopt_settings(site_environment(launch, layout.home, *person(layout.uid)))
    return Scheduler(name)


def _started(layout: Layout, scheduler: Scheduler, request: Request, *, check: bool) -> Outcome:
    _require_startable(layout, request)
    planned = planned_job(layout, scheduler, request, "")
    if check:
        return _predicted(layout, scheduler, request, planned)
    if request.state == "started":
        return _followed(
            layout, scheduler, request, _submitted(layout, scheduler, request, planned)
        )
    again = restarted_in_place(layout, scheduler, request, planned)
    if again:
        return _followed(layout, scheduler, request, Outcome(True, report(layout, again)))
    view = look(layout, scheduler)
    asked = replace(request, successor=request.successor or view.successor is not None)
    with nothing_left_of(_ended_for_another(layout, scheduler, asked, planned, view)):
        outcome = _submitted(layout, scheduler, asked, planned)
    return _followed(layout, scheduler, asked, outcome)


def _predicted(layout: Layout, scheduler: Scheduler, request: Request, planned: Planned) -> Outcome:
    """What would be done."""
    view = look(layout, scheduler)
    joins = view.alive and request.state == "started"
    reason = "would be joined" if joins else "would be submitted"
    told = () if joins else tuple(filter(None, [_refusal(scheduler, planned)]))
    follows = request.successor and not (joins and view.successor)
    then = {"successor_reason": "would be submitted"} if follows else {}
    return Outcome(follows or not joins, {**report(layout, view), "reason": reason, **then}, told)


def _followed(layout: Layout, scheduler: Scheduler, request: Request, outcome: Outcome) -> Outcome:
    """With another job after the one that there is now, where that is asked for."""
    if not request.successor:
        return outcome
    view, new = follow(layout, scheduler, request)
    told = {name: report(layout, view)[name] for name in ("successor", "successor_reason")}
    return Outcome(outcome.changed or new, {**outcome.report, **told}, outcome.warnings)


def _refusal(scheduler: Scheduler, planned: Planned) -> str:
    """Why the scheduler would not take a job, where it can be asked; empty where it would."""
    try:
        scheduler.verify(planned)
    except NotebookError as error:
        return f"{error.where}: {error.what}"
    return ""


def _ended_for_another(
    layout: Layout, scheduler: Scheduler, request: Request, planned: Planned, view: View
) -> str:
    """What has ended, once it is seen that the profile can be served by another job."""
    if view.alive:
        refusal = _refusal(scheduler, planned)
        if refusal:
            raise NotebookError(refusal, "", ALL_THE_SAME)
        require_serving_here(layout, request)
    ended = stopped(layout, scheduler, request, check=False)
    return str(ended.report.get("stopped_by", ""))


def _submitted(layout: Layout, scheduler: Scheduler, request: Request, planned: Planned) -> Outcome:
    view, new = submit(layout, scheduler, request)
    has = view.submission.asked if view.submission else planned.asked
    other = request.wanted != ANYTHING and has != planned.asked
    told = f"the job that there is was joined, it has {has}" if other else ""
    if new:
        view = after(layout, scheduler, view, FIRST_QUESTION)
        view = by_files(layout, view, BEGINS_WITHIN if view.state == STARTING else 0.0)
    _require_promising(layout, scheduler, view)
    return Outcome(new, report(layout, view), (told,) if told else ())


def _require_startable(layout: Layout, request: Request) -> None:
    """Everything that would make the job fail, before it is submitted."""
    if layout.uid == 0:
        raise NotebookError("a notebook must not run as root", layout.host, "Use your account.")
    server_report.version(request.launch, sys.executable)
    readiness.require_ready(layout)
    if request.launch.environments:
        readiness.require_environment_kernels(layout)


def _require_promising(layout: Layout, scheduler: Scheduler, view: View) -> None:
    """A job that can never run is taken back at once, with the scheduler's words."""
    if view.state == STOPPED and view.submission:
        what = f"job {view.submission.job} has {view.reason}"
        raise NotebookError(what, job_record.log_path(layout))
    if view.hopeless and view.known:
        if view.successor:
            scheduler.cancel(view.successor.known.job)
        scheduler.cancel(view.known.job)
        files.remove(layout.submission)
        succession.forget(layout)
        where = f"{scheduler.title}, job {view.known.job}"
        raise NotebookError(f"it can never run: {view.known.reason}", where, "It was cancelled.")


def _joined(layout: Layout, scheduler: Scheduler, request: Request) -> Outcome:
    """Wait for a job that was submitted; a scheduler that is silent for a while is no reason."""
    submitted = recorded(layout)
    job = Known(submitted.job if submitted else "", "waiting")
    view = View(submitted, job)
    try:
        view = joined(layout, scheduler, view, request.wait)
    except NotebookError as error:
        view = replace(view, known=replace(job, reason=str(error)))
    _require_promising(layout, scheduler, view)
    return Outcome(False, report(layout, view))

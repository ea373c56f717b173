# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: bring the job of a profile into the state that is asked for; there is one at most.

`submit` is the only function that submits. It holds a lock from before the record is written until
the scheduler has answered; the command that submits inherits it, so that a free lock means that no
submission is under way, whoever was killed.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import time
from dataclasses import dataclass, replace
from typing import Callable, ContextManager

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission as job_record
from ansible_collections.hpcc.notebook.plugins.module_utils._job.entrance import relay_path
from ansible_collections.hpcc.notebook.plugins.module_utils._job.scheduler import (
    Planned,
    Scheduler,
    Wanted,
    adopt_settings,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import (
    AGAIN,
    End,
    Submission,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.supervisor import (
    of_jobs,
    recorded,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import (
    STARTED,
    STOPPED,
    WAITING,
    Known,
    View,
    chosen,
    strays,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import JOB_FILES
from ansible_collections.hpcc.notebook.plugins.module_utils._server import readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server import report as server_report
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch, Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    elsewhere,
    observe,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.place import here
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.start import site_environment
from ansible_collections.hpcc.notebook.plugins.module_utils._server.stop import sweep
from ansible_collections.hpcc.notebook.plugins.module_utils._server.table import moment_of

POLL = 0.3  # seconds between two looks at a file
FIRST_QUESTION = 2.0  # seconds after which a new job is asked for: what is in vain shows by then
STOP_EVERY = 1.0  # seconds between two questions about a job that ends
ORDERLY_WITHIN = 40.0  # seconds for the server in a job to end
GONE_WITHIN = 60.0
WORTH = 300.0  # seconds that a job has to have left for another server in it
ANYTHING = Wanted("", "", 1)  # nothing was said about the job
ON_REQUEST = "it was stopped on request"


@dataclass(frozen=True)
class Request:
    """What is asked for: the parameters of the module."""

    profile: str
    state: str
    launch: Launch
    wanted: Wanted
    timeout: int
    wait: int
    second: bool
    program: str


@dataclass(frozen=True)
class Outcome:
    """What the module reports."""

    changed: bool
    report: dict[str, object]
    warnings: tuple[str, ...] = ()


def carry_out(request: Request, *, check: bool) -> Outcome:
    """Do what is asked, or only say what would be done."""
    layout = here(request.profile)
    before = recorded(layout)
    if before is None and request.state in ("found", "joined"):
        return Outcome(False, _report(layout, View()))
    scheduler = _scheduler(layout, request, before)
    if request.state in ("stopped", "absent"):
        return _stopped(layout, scheduler, request, check=check)
    if request.state == "found":
        return Outcome(False, _report(layout, _explained(scheduler, look(layout, scheduler))))
    if request.state == "joined":
        return _joined(layout, scheduler, request)
    return _started(layout, scheduler, request, check=check)


def _scheduler(layout: Layout, request: Request, before: Submission | None) -> Scheduler:
    """That of the job that there is; a new job goes to the one that the site names now."""
    if before is not None:
        launch = request.launch if request.launch.modules else before.launch
        scheduler = _found(layout, launch, before.scheduler)
        if request.state not in ("started", "restarted") or look(layout, scheduler).alive:
            return scheduler
    return _found(layout, request.launch, "")


def _found(layout: Layout, launch: Launch, name: str) -> Scheduler:
    """Where the modules of a launch, and the site's own files, have put its commands."""
    adopt_settings(site_environment(launch, layout.home, *person(layout.uid)))
    return Scheduler(name)


def look(layout: Layout, scheduler: Scheduler) -> View:
    """Ask the scheduler once, and read what lies in the profile."""
    jobs = scheduler.jobs(job_record.job_name(layout))
    submitted = recorded(layout)
    known = chosen(jobs, submitted)
    return _with_files(layout, View(submitted, known, strays=strays(jobs, known)))


def _with_files(layout: Layout, view: View) -> View:
    """What the job itself has written; nothing is asked."""
    submitted = view.submission
    if submitted is None:
        return view
    job = submitted.job or (view.known.job if view.known else "")
    found = files.read(job_record.end_path(layout))
    end = job_record.parse_end(found, job_record.end_path(layout)) if found else None
    return replace(
        view,
        end=end if end and end.mark == submitted.mark else None,
        server=next((each for _path, each in of_jobs(layout) if each.job == job), None),
    )


def _started(layout: Layout, scheduler: Scheduler, request: Request, *, check: bool) -> Outcome:
    _require_startable(layout, request)
    planned = _planned(layout, scheduler, request, "")
    if check:
        view = look(layout, scheduler)
        joins = view.alive and request.state == "started"
        reason = "would be joined" if joins else "would be submitted"
        return Outcome(not joins, {**_report(layout, view), "reason": reason})
    if request.state == "restarted":
        again = _restarted_in_place(layout, scheduler, request, planned)
        if again:
            return Outcome(True, _report(layout, again))
        _stopped(layout, scheduler, request, check=False)
    view, new = submit(layout, scheduler, request)
    has = view.submission.asked if view.submission else planned.asked
    other = request.wanted != ANYTHING and has != planned.asked
    told = f"the job that there is was joined, it has {has}" if other else ""
    if new:
        view = _after(layout, scheduler, view, FIRST_QUESTION)
    _refuse_hopeless(layout, scheduler, view)
    return Outcome(new, _report(layout, view), (told,) if told else ())


def _restarted_in_place(
    layout: Layout, scheduler: Scheduler, request: Request, planned: Planned
) -> View | None:
    """Another server in the job that there is; None where that takes a new job."""
    with _locked(layout, request, check=False):
        view = look(layout, scheduler)
        before, submitted = view.server, view.submission
        if before is None or submitted is None or not _fits(view, request, planned):
            return None
        _write(layout, submitted.served(request.launch))
        if not scheduler.signal(submitted.job, AGAIN):
            return None
    within = time.monotonic() + ORDERLY_WITHIN + request.timeout
    while time.monotonic() < within:
        view = _with_files(layout, view)
        if view.server and view.server.pid != before.pid:
            return view
        if view.end:
            break
        time.sleep(POLL)
    why = view.reason if view.end else "has no other server yet"
    raise NotebookError(f"job {submitted.job} {why}", job_record.log_path(layout), "Start it.")


def _fits(view: View, request: Request, planned: Planned) -> bool:
    """Whether the job has what is asked for, and time enough to be worth it."""
    if view.state != STARTED or view.submission is None or view.server is None:
        return False
    same = request.wanted == ANYTHING or view.submission.asked == planned.asked
    left = (moment_of(view.server.ends) or 0) - time.time()
    return same and left > WORTH


def _require_startable(layout: Layout, request: Request) -> None:
    """Everything that would make the job fail, before it is submitted."""
    if layout.uid == 0:
        raise NotebookError("a notebook must not run as root", layout.host, "Use your account.")
    server_report.version(request.launch, sys.executable)
    readiness.require_ready(layout)
    if request.launch.environments:
        readiness.require_environment_kernels(layout)


def _require_no_other(layout: Layout, request: Request) -> None:
    """One notebook at a time is what people want."""
    if request.second:
        return
    names = [each.called for each in elsewhere(layout)[0] if not each.job]
    names += [layout.host] if observe(layout, layout.name).running else []
    if names:
        todo = "Stop it first, or have both: -e nbserver_second=true"
        raise NotebookError("has a server of this profile already", names[0], todo)


def _planned(layout: Layout, scheduler: Scheduler, request: Request, mark: str) -> Planned:
    program = job_record.program_path(layout)
    command = [sys.executable, "-I", program, request.profile, mark]
    name, log = job_record.job_name(layout), job_record.log_path(layout)
    return scheduler.plan(request.wanted, name, command, log)


def submit(layout: Layout, scheduler: Scheduler, request: Request) -> tuple[View, bool]:
    """The one job of the profile, and whether it is new."""
    files.make_private_directory(layout.job)
    with processes.locked(job_record.lock_path(layout), request.timeout) as lock:
        view = look(layout, scheduler)
        for stray in view.strays:
            scheduler.cancel(stray.job)
        if view.alive and view.known and view.submission:
            return replace(view, submission=_adopted(layout, view.submission, view.known)), False
        _require_no_other(layout, request)
        _forget(layout)
        return _submitted(layout, scheduler, request, lock), True


def _adopted(layout: Layout, submitted: Submission, known: Known) -> Submission:
    """Note the id of a job whose submitter was killed before it could."""
    if submitted.job:
        return submitted
    found = replace(submitted, job=known.job)
    _write(layout, found)
    return found


def _submitted(layout: Layout, scheduler: Scheduler, request: Request, lock: int) -> View:
    mark = secrets.token_hex(8)
    files.make_private_directory(layout.local)  # where a relay's socket may come to lie
    planned = _planned(layout, scheduler, request, mark)
    submitted = _submission(layout, scheduler, request, planned, mark)
    _write_files(layout, request, planned)
    _write(layout, submitted)
    try:
        job = scheduler.submit(planned, job_record.script_path(layout), lock)
    except NotebookError:
        if not look(layout, scheduler).alive:
            files.remove(layout.submission)
        raise
    submitted = replace(submitted, job=job)
    _write(layout, submitted)
    return View(submitted, Known(job, "waiting"))


def _submission(
    layout: Layout, scheduler: Scheduler, request: Request, planned: Planned, mark: str
) -> Submission:
    launch = request.launch
    return Submission(
        name=job_record.job_name(layout),
        mark=mark,
        scheduler=scheduler.name,
        job="",
        submitted=server_record.timestamp(time.time()),
        walltime=planned.walltime,
        clock=planned.clock,
        asked=planned.asked,
        frontend=launch.frontend,
        modules=list(launch.modules),
        threads=launch.threads,
        idle=launch.idle,
        environments=launch.environments,
        timeout=request.timeout,
        origin=processes.full_hostname() or layout.host,
        relay=relay_path(layout),
    )


def _write(layout: Layout, submitted: Submission) -> None:
    files.write_private(layout.submission, job_record.serialise(submitted))


def _write_files(layout: Layout, request: Request, planned: Planned) -> None:
    files.write_private(job_record.program_path(layout), request.program.encode())
    files.write_private(job_record.script_path(layout), planned.script.encode())
    files.write_private(job_record.log_path(layout), b"")
    files.remove(job_record.end_path(layout))


def _forget(layout: Layout) -> None:
    """The records of servers whose job is over; the node may have had no time to remove them."""
    submitted = recorded(layout)
    if submitted and submitted.relay == relay_path(layout):
        files.remove(submitted.relay)
    for path, _record in of_jobs(layout):
        files.remove(path)


def _after(layout: Layout, scheduler: Scheduler, view: View, wait: float) -> View:
    """Look at the files until it serves, has ended, or the time is over; then ask once."""
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        view = _with_files(layout, view)
        if view.known and (view.server or view.end):
            return replace(view, known=replace(view.known, state="running"))
        time.sleep(POLL)
    return _explained(scheduler, look(layout, scheduler))


def _explained(scheduler: Scheduler, view: View) -> View:
    """With the reason why it waits, where that is another question."""
    if view.known is None:
        return view
    return replace(view, known=replace(view.known, reason=scheduler.why(view.known)))


def _refuse_hopeless(layout: Layout, scheduler: Scheduler, view: View) -> None:
    """A job that can never run is taken back at once, with the scheduler's words."""
    if view.hopeless and view.known:
        scheduler.cancel(view.known.job)
        files.remove(layout.submission)
        where = f"{scheduler.title}, job {view.known.job}"
        raise NotebookError(f"it can never run: {view.known.reason}", where, "It was cancelled.")


def _joined(layout: Layout, scheduler: Scheduler, request: Request) -> Outcome:
    """Wait for a job that was submitted; a scheduler that is silent for a while is no reason."""
    submitted = recorded(layout)
    job = Known(submitted.job if submitted else "", "waiting")
    view = View(submitted, job)
    try:
        view = _after(layout, scheduler, view, request.wait)
    except NotebookError as error:
        view = replace(view, known=replace(job, reason=str(error)))
    _refuse_hopeless(layout, scheduler, view)
    if view.state == STOPPED:
        raise NotebookError(f"job {job.job} has {view.reason}", job_record.log_path(layout))
    return Outcome(False, _report(layout, view))


def _stopped(layout: Layout, scheduler: Scheduler, request: Request, *, check: bool) -> Outcome:
    """End the server in order and then the job; nothing of the profile is left in the queue."""
    with _locked(layout, request, check=check):
        view = look(layout, scheduler)
        counted = (view.known,) if view.known and view.alive else ()
        jobs = (*counted, *view.strays)
        if not check:
            for job in jobs:
                _end(layout, scheduler, job)
            _forget(layout)
            _write_end(layout, view)
    if request.state == "absent" and not check:
        _remove(layout)
    said = " and ".join(f"job {job.job}" for job in jobs)
    ended = {"stopped_by": f"{said} has ended", "kernels_ended": 0} if jobs else {}
    node = {"host": view.known.node} if view.known and view.known.node else {}
    report = {**_report(layout, replace(view, known=None)), "state": STOPPED, **ended, **node}
    return Outcome(bool(jobs), report)


def _write_end(layout: Layout, view: View) -> None:
    """Say that it was meant; the job itself has only seen a signal."""
    if view.alive and view.submission:
        end = End(view.submission.mark, ON_REQUEST, server_record.timestamp(time.time()))
        files.write_private(job_record.end_path(layout), job_record.serialise(end))


def _locked(layout: Layout, request: Request, *, check: bool) -> ContextManager[object]:
    """Let no other run submit meanwhile; where nothing was ever submitted, nothing is made."""
    directory = layout.job
    if check or files.private_directory_reason(directory) == "missing":
        return contextlib.nullcontext()
    return processes.locked(job_record.lock_path(layout), request.timeout)


def _end(layout: Layout, scheduler: Scheduler, job: Known) -> None:
    def gone() -> bool:
        found = scheduler.jobs(job_record.job_name(layout))
        return not any(each.alive and each.job == job.job for each in found)

    if job.state == "running":
        scheduler.terminate(job.job)
        if _until(gone, ORDERLY_WITHIN):
            return
    scheduler.cancel(job.job)
    if not _until(gone, GONE_WITHIN):
        what = f"it is still there {GONE_WITHIN:g} s after it was cancelled"
        raise NotebookError(what, f"{scheduler.title}, job {job.job}", "Ask the site.")


def _until(true: Callable[[], bool], within: float) -> bool:
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(STOP_EVERY)
    return True


def _remove(layout: Layout) -> None:
    """All that was written for jobs."""
    for path in (*map(layout.at, JOB_FILES.values()), layout.job):
        files.remove(path)
    if not observe(layout, layout.name).running:
        sweep(layout)


def _report(layout: Layout, view: View) -> dict[str, object]:
    """What a person is told, and what a tunnel needs."""
    submitted, known, server = view.submission, view.known, view.server
    serves = view.state == STARTED and server is not None
    return {
        "host": server.host if server and serves else layout.host,
        "user": person(layout.uid)[0],
        "state": view.state,
        "reason": view.reason,
        "job": known.job if known else submitted.job if submitted else "",
        "node": known.node if known else "",
        "expected": known.expected if known and view.state == WAITING else "",
        "asked": submitted.asked if submitted else "",
        "idle_shutdown": submitted.idle if submitted else 0,
        "scheduler": submitted.scheduler if submitted else "",
        **(server_record.way_in(server, layout.records) if server and serves else {}),
    }

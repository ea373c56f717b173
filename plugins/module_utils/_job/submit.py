# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: submit the job of a profile; there is one at most, and one successor.

Whoever submits holds a lock from before the record is written until the scheduler has answered; the
command that submits inherits it, so that a free lock means that no submission is under way, whoever
was killed.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import time
from dataclasses import replace
from typing import ContextManager

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import timestamp
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission as job_record
from ansible_collections.hpcc.notebook.plugins.module_utils._job import succession
from ansible_collections.hpcc.notebook.plugins.module_utils._job.entrance import relay_path
from ansible_collections.hpcc.notebook.plugins.module_utils._job.look import look
from ansible_collections.hpcc.notebook.plugins.module_utils._job.replacement import recorded
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import Request
from ansible_collections.hpcc.notebook.plugins.module_utils._job.scheduler import Planned, Scheduler
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import Submission
from ansible_collections.hpcc.notebook.plugins.module_utils._job.supervisor import of_jobs
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import (
    Known,
    Successor,
    View,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    elsewhere,
    observe,
)


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
        forget(layout)
        _forget_what_they_said(layout)
        submitted = _submitted(layout, scheduler, request, lock)
        return View(submitted, Known(submitted.job, "waiting")), True


def follow(layout: Layout, scheduler: Scheduler, request: Request) -> tuple[View, bool]:
    """The job of the profile with its successor, and whether that is new.

    It asks for what the job has, and begins when that has ended.
    """
    with processes.locked(job_record.lock_path(layout), request.timeout) as lock:
        view = look(layout, scheduler)
        if not (view.alive and view.known and view.submission):
            what = "there is no job any more that another could follow"
            raise NotebookError(what, "nbserver_next", "Start again.")
        if view.successor:
            return replace(view, successor=_noted(layout, view.successor)), False
        present = _adopted(layout, view.submission, view.known)
        again = replace(request, wanted=present.wanted, launch=present.launch)
        try:
            submitted = _submitted(layout, scheduler, again, lock, after=present.job)
        except NotebookError as error:
            todo = f"{error.todo} Job {present.job} stays as it is.".strip()
            raise NotebookError(error.what, error.where, todo) from error
        successor = Successor(submitted, Known(submitted.job, "waiting"))
        return replace(view, submission=present, successor=successor), True


def _require_no_other(layout: Layout, request: Request) -> None:
    """One notebook at a time is what people want."""
    if request.second:
        return
    names = [each.called for each in elsewhere(layout)[0] if not each.job]
    names += [layout.host] if observe(layout, layout.name).running else []
    if names:
        todo = "Stop it first, or have both: -e nbserver_second=true"
        raise NotebookError("has a server of this profile already", names[0], todo)


def _adopted(layout: Layout, submitted: Submission, known: Known) -> Submission:
    """Note the id of a job whose submitter was killed, and that a successor has taken over."""
    successor = succession.queued(layout)
    if successor and successor.mark == submitted.mark:
        succession.promote(layout, successor, known.job)
        return recorded(layout) or submitted
    if submitted.job:
        return submitted
    found = replace(submitted, job=known.job)
    write(layout, found)
    return found


def _noted(layout: Layout, found: Successor) -> Successor:
    """The same of a successor."""
    if found.submission.job:
        return found
    submitted = replace(found.submission, job=found.known.job)
    files.write_private(job_record.successor_path(layout), job_record.serialise(submitted))
    return replace(found, submission=submitted)


def _submitted(
    layout: Layout, scheduler: Scheduler, request: Request, lock: int, after: str = ""
) -> Submission:
    """The record of a new job, which begins at once or after another one."""
    record = job_record.successor_path(layout) if after else layout.submission
    of_script = job_record.successor_script_path if after else job_record.script_path
    mark = secrets.token_hex(8)
    files.make_private_directory(layout.local)  # where a relay's socket may come to lie
    planned = planned_job(layout, scheduler, request, mark, after)
    submitted = _submission(layout, scheduler, request, planned, mark)
    files.write_private(job_record.program_path(layout), request.program.encode())
    files.write_private(of_script(layout), planned.script.encode())
    files.write_private(record, job_record.serialise(submitted))
    try:
        job = scheduler.submit(planned, of_script(layout), lock)
    except NotebookError:
        view = look(layout, scheduler)
        if not (view.successor if after else view.alive):
            files.remove(record)
        raise
    submitted = replace(submitted, job=job)
    files.write_private(record, job_record.serialise(submitted))
    return submitted


def planned_job(
    layout: Layout, scheduler: Scheduler, request: Request, mark: str, after: str = ""
) -> Planned:
    program = job_record.program_path(layout)
    command = [sys.executable, "-I", program, request.profile, mark]
    name, log = job_record.job_name(layout), job_record.log_path(layout)
    return scheduler.plan(request.wanted, name, command, log, after)


def _submission(
    layout: Layout, scheduler: Scheduler, request: Request, planned: Planned, mark: str
) -> Submission:
    launch = request.launch
    return Submission(
        name=job_record.job_name(layout),
        mark=mark,
        scheduler=scheduler.name,
        job="",
        submitted=timestamp(time.time()),
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
        mem=planned.mem,
        turn=0,
        resources=str(request.wanted.resources),
        queue=request.wanted.queue,
    )


def write(layout: Layout, submitted: Submission) -> None:
    files.write_private(layout.submission, job_record.serialise(submitted))


def forget(layout: Layout) -> None:
    """The records of servers whose job is over; the node may have had no time to remove them."""
    succession.forget(layout)
    submitted = recorded(layout)
    if submitted and submitted.relay == relay_path(layout):
        files.remove(submitted.relay)
    for path, _record in of_jobs(layout):
        files.remove(path)


def _forget_what_they_said(layout: Layout) -> None:
    files.write_private(job_record.log_path(layout), b"")
    for of_job in (
        job_record.end_path,
        job_record.asked_path,
        job_record.answer_path,
        job_record.usage_path,
    ):
        files.remove(of_job(layout))


def locked(layout: Layout, request: Request, *, check: bool) -> ContextManager[object]:
    """Let no other run submit meanwhile; where nothing was ever submitted, nothing is made."""
    directory = layout.job
    if check or files.private_directory_reason(directory) == "missing":
        return contextlib.nullcontext()
    return processes.locked(job_record.lock_path(layout), request.timeout)

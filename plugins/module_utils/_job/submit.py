# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: submit the job of a profile; there is one at most.

`submit` is the only function that submits. It holds a lock from before the record is written until
the scheduler has answered; the command that submits inherits it, so that a free lock means that no
submission is under way, whoever was killed.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import time
from dataclasses import replace
from typing import ContextManager

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission as job_record
from ansible_collections.hpcc.notebook.plugins.module_utils._job.entrance import relay_path
from ansible_collections.hpcc.notebook.plugins.module_utils._job.look import look
from ansible_collections.hpcc.notebook.plugins.module_utils._job.replacement import recorded
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import Request
from ansible_collections.hpcc.notebook.plugins.module_utils._job.scheduler import Planned, Scheduler
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import Submission
from ansible_collections.hpcc.notebook.plugins.module_utils._job.supervisor import of_jobs
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import Known, View
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
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
        return _submitted(layout, scheduler, request, lock), True


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
    """Note the id of a job whose submitter was killed before it could."""
    if submitted.job:
        return submitted
    found = replace(submitted, job=known.job)
    write(layout, found)
    return found


def _submitted(layout: Layout, scheduler: Scheduler, request: Request, lock: int) -> View:
    mark = secrets.token_hex(8)
    files.make_private_directory(layout.local)  # where a relay's socket may come to lie
    planned = planned_job(layout, scheduler, request, mark)
    submitted = _submission(layout, scheduler, request, planned, mark)
    _write_files(layout, request, planned)
    write(layout, submitted)
    try:
        job = scheduler.submit(planned, job_record.script_path(layout), lock)
    except NotebookError:
        if not look(layout, scheduler).alive:
            files.remove(layout.submission)
        raise
    submitted = replace(submitted, job=job)
    write(layout, submitted)
    return View(submitted, Known(job, "waiting"))


def planned_job(layout: Layout, scheduler: Scheduler, request: Request, mark: str) -> Planned:
    program = job_record.program_path(layout)
    command = [sys.executable, "-I", program, request.profile, mark]
    name, log = job_record.job_name(layout), job_record.log_path(layout)
    return scheduler.plan(request.wanted, name, command, log)


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
        mem=planned.mem,
        turn=0,
    )


def write(layout: Layout, submitted: Submission) -> None:
    files.write_private(layout.submission, job_record.serialise(submitted))


def _write_files(layout: Layout, request: Request, planned: Planned) -> None:
    files.write_private(job_record.program_path(layout), request.program.encode())
    files.write_private(job_record.script_path(layout), planned.script.encode())
    files.write_private(job_record.log_path(layout), b"")
    for of_job in (job_record.end_path, job_record.answer_path, job_record.usage_path):
        files.remove(of_job(layout))


def forget(layout: Layout) -> None:
    """The records of servers whose job is over; the node may have had no time to remove them."""
    submitted = recorded(layout)
    if submitted and submitted.relay == relay_path(layout):
        files.remove(submitted.relay)
    for path, _record in of_jobs(layout):
        files.remove(path)


def locked(layout: Layout, request: Request, *, check: bool) -> ContextManager[object]:
    """Let no other run submit meanwhile; where nothing was ever submitted, nothing is made."""
    directory = layout.job
    if check or files.private_directory_reason(directory) == "missing":
        return contextlib.nullcontext()
    return processes.locked(job_record.lock_path(layout), request.timeout)

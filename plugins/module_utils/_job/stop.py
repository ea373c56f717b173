# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: end the server in order and then its job; nothing is left in the queue."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import Callable

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import timestamp
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission as job_record
from ansible_collections.hpcc.notebook.plugins.module_utils._job.look import look
from ansible_collections.hpcc.notebook.plugins.module_utils._job.report import report
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import Outcome, Request
from ansible_collections.hpcc.notebook.plugins.module_utils._job.scheduler import Scheduler
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import End
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submit import forget, locked
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import STOPPED, Known, View
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import JOB_FILES
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import observe
from ansible_collections.hpcc.notebook.plugins.module_utils._server.stop import sweep

STOP_EVERY = 1.0  # seconds between two questions about a job that ends
ORDERLY_WITHIN = 40.0  # seconds for the server in a job to end
GONE_WITHIN = 60.0
REMOVED_WITHIN = 10.0  # a job that is not in the queue any more may write a moment longer
ON_REQUEST = "it was stopped on request"


def stopped(layout: Layout, scheduler: Scheduler, request: Request, *, check: bool) -> Outcome:
    """End the server in order and then the job; nothing of the profile is left in the queue."""
    with locked(layout, request, check=check):
        view = look(layout, scheduler)
        counted = (view.known,) if view.known and view.alive else ()
        # The successor first: it must not begin because the other one has ended.
        follows = (view.successor.known,) if view.successor else ()
        jobs = (*follows, *counted, *view.strays)
        if not check:
            for job in jobs:
                _end(layout, scheduler, job)
            forget(layout)
            _write_end(layout, view)
    if request.state == "absent" and not check:
        _remove(layout)
    said = " and ".join(f"job {job.job}" for job in jobs)
    verb = "have" if len(jobs) > 1 else "has"
    ended = {"stopped_by": f"{said} {verb} ended", "kernels_ended": 0} if jobs else {}
    node = {"host": view.known.node} if view.known and view.known.node else {}
    left = report(layout, replace(view, known=None, successor=None))
    return Outcome(bool(jobs), {**left, "state": STOPPED, **ended, **node})


def _write_end(layout: Layout, view: View) -> None:
    """Say that it was meant; the job itself has only seen a signal."""
    if view.alive and view.submission:
        end = End(view.submission.mark, ON_REQUEST, timestamp(time.time()))
        files.write_private(job_record.end_path(layout), job_record.serialise(end))


def _end(layout: Layout, scheduler: Scheduler, job: Known) -> None:
    def gone() -> bool:
        found = scheduler.jobs(job_record.job_name(layout))
        return not any(each.alive and each.job == job.job for each in found)

    if job.state == "running" and not job.stalled:  # that one could not end in order
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
    if not _until(lambda: _emptied(layout), REMOVED_WITHIN):
        files.remove(layout.job)  # says what is in the way
    if not observe(layout, layout.name).running:
        sweep(layout)


def _emptied(layout: Layout) -> bool:
    for path in map(layout.at, JOB_FILES.values()):
        files.remove(path)
        files.remove_half_written(path)
    with contextlib.suppress(NotebookError):
        files.remove(layout.job)
    return files.directory_status(layout.job) is None

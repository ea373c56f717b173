# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: another server in the job that there is, where the job is worth it."""

from __future__ import annotations

import time

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission as job_record
from ansible_collections.hpcc.notebook.plugins.module_utils._job.look import POLL, look, with_files
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import ANYTHING, Request
from ansible_collections.hpcc.notebook.plugins.module_utils._job.scheduler import Planned, Scheduler
from ansible_collections.hpcc.notebook.plugins.module_utils._job.stop import ORDERLY_WITHIN
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import AGAIN
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submit import locked, write
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import STARTED, View
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.table import moment_of

WORTH = 300.0  # seconds that a job has to have left for another server in it


def restarted_in_place(
    layout: Layout, scheduler: Scheduler, request: Request, planned: Planned
) -> View | None:
    """Another server in the job that there is; None where that takes a new job."""
    with locked(layout, request, check=False):
        view = look(layout, scheduler)
        before, submitted = view.server, view.submission
        if before is None or submitted is None or not _fits(view, request, planned):
            return None
        write(layout, submitted.served(request.launch))
        if not scheduler.signal(submitted.job, AGAIN):
            return None
    within = time.monotonic() + ORDERLY_WITHIN + request.timeout
    while time.monotonic() < within:
        view = with_files(layout, view)
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

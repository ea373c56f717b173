# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: see a profile's job as the scheduler and the profile's own files show it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Iterator

from ansible_collections.hpcc.notebook.plugins.module_utils._job import succession
from ansible_collections.hpcc.notebook.plugins.module_utils._job.replacement import recorded
from ansible_collections.hpcc.notebook.plugins.module_utils._job.scheduler import Scheduler
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import job_name
from ansible_collections.hpcc.notebook.plugins.module_utils._job.supervisor import of_jobs
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import (
    STARTED,
    View,
    seen,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout

# Seconds between two looks at a file: somebody who has just asked sits there and waits.
_SOON, _LATER = 0.1, 0.5
_AT_FIRST = 10.0
NOTHING = View()


def look(layout: Layout, scheduler: Scheduler) -> View:
    """Ask the scheduler once, and read what lies in the profile."""
    jobs = scheduler.jobs(job_name(layout))
    return with_files(layout, seen(jobs, recorded(layout), succession.queued(layout)))


def with_files(layout: Layout, view: View) -> View:
    """What the job itself has written; nothing is asked."""
    submitted = view.submission
    if submitted is None:
        return view
    job = submitted.job or (view.known.job if view.known else "")
    end = succession.end_of(layout, submitted.mark)
    servers = (each for _path, each in of_jobs(layout) if each.job == job)
    return replace(
        view,
        end=end if end and not _of_former_run(view, end.at) else None,
        noted=succession.noted_of(layout, submitted.mark),
        server=next((each for each in servers if not _of_former_run(view, each.since)), None),
    )


def _of_former_run(view: View, written: str) -> bool:
    """Whether it lies there only because the job has just begun once more."""
    return view.known is not None and view.known.ran_before(written, time.time())


def after(layout: Layout, scheduler: Scheduler, view: View, wait: float) -> View:
    """Look at the files until it serves, has ended, or the time is over; then ask once."""
    view = by_files(layout, view, wait)
    return _begun(view) or explained(scheduler, look(layout, scheduler))


def joined(layout: Layout, scheduler: Scheduler, view: View, wait: float) -> View:
    """The same for a job that may have run before: what lies there may be of that run."""
    before = with_files(layout, view)
    if not (before.server or before.end):
        return after(layout, scheduler, view, wait)
    asked = explained(scheduler, look(layout, scheduler))
    if not asked.alive or asked.state == STARTED:
        return asked
    return _begun(by_files(layout, asked, wait, before)) or asked


def _begun(view: View) -> View | None:
    if view.known and (view.server or view.end):
        return replace(view, known=replace(view.known, state="running"))
    return None


def by_files(layout: Layout, view: View, wait: float, before: View = NOTHING) -> View:
    """The same without a question; what lay there before is no news."""
    for _look in moments(wait):
        view = with_files(layout, view)
        view = replace(
            view,
            server=view.server if view.server != before.server else None,
            end=view.end if view.end != before.end else None,
        )
        if view.server or view.end:
            break
    return view


def moments(wait: float) -> Iterator[float]:
    """When to look at a file, until the time is over."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < wait:
        yield passed
        time.sleep(_SOON if passed < _AT_FIRST else _LATER)


def explained(scheduler: Scheduler, view: View) -> View:
    """With the reason why it waits, where that is another question."""
    if view.known is None:
        return view
    return replace(view, known=replace(view.known, reason=scheduler.why(view.known)))

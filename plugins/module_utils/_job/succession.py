# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: how the job of a profile is followed by its successor, by files of the profile.

A successor has a record of its own until it begins or the other job is gone: then its record takes
the place of that one. Either the job itself does that or a run that finds the other job gone, and
twice is as good as once.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import moment_of
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission as job_record
from ansible_collections.hpcc.notebook.plugins.module_utils._job.replacement import read, recorded
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import (
    MEASURE_EVERY,
    End,
    Noted,
    Submission,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout

SILENT = 2.5 * MEASURE_EVERY  # seconds without a sign of a job after which it is over
POLL = 1.0


def queued(layout: Layout) -> Submission | None:
    """The successor that is recorded; None once its record has taken the place of the other."""
    found = read(job_record.successor_path(layout))
    if found is None:
        return None
    before = recorded(layout)
    return None if before and before.mark == found.mark else found


def forget(layout: Layout) -> None:
    """Remove what speaks of a successor."""
    for of_successor in (job_record.successor_path, job_record.successor_script_path):
        files.remove(of_successor(layout))


def of_this_job(layout: Layout, mark: str, job: str) -> Submission | None:
    """What a job that has begun is to serve; None where no record speaks of it.

    NotebookError when the job that it follows serves all the same: somebody has lifted the
    dependency, or the scheduler has lost sight of a node that lives.
    """
    found, successor = recorded(layout), queued(layout)
    if successor and successor.mark == mark and not (found and found.mark == mark):
        if found and _goes_on(layout, found):
            raise NotebookError(f"job {found.job} serves still, so job {job} ends", layout.host)
        promote(layout, successor, job)
        found = recorded(layout)
    return found if found and found.mark == mark else None


def promote(layout: Layout, successor: Submission, job: str) -> None:
    """The successor is the job of the profile now; it serves as the one before it did at last."""
    before = recorded(layout)
    if before is None or before.mark != successor.mark:
        taken = successor.serving(before.launch) if before else successor
        content = job_record.serialise(replace(taken, job=job))
        files.write_private(layout.submission, content)
    forget(layout)


def end_of(layout: Layout, mark: str) -> End | None:
    """What the job of this mark has left of its end."""
    path = job_record.end_path(layout)
    content = files.read(path)
    found = job_record.parse_end(content, path) if content else None
    return found if found and found.mark == mark else None


def noted_of(layout: Layout, mark: str) -> Noted | None:
    """What the job of this mark has measured; a figure that cannot be read is none."""
    path = job_record.usage_path(layout)
    with contextlib.suppress(NotebookError):
        content = files.read(path)
        found = job_record.parse_noted(content, path) if content else None
        return found if found and found.mark == mark else None
    return None


def _goes_on(layout: Layout, before: Submission) -> bool:
    """Whether a job gives signs of life: it has left no end, and measures once more."""
    first = noted_of(layout, before.mark)
    last = moment_of(first.at) if first else None
    while last is not None and time.time() < last + SILENT and not end_of(layout, before.mark):
        if noted_of(layout, before.mark) != first:
            return True
        time.sleep(POLL)
    return False

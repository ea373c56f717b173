# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: what a restart and the job that it is asked of tell one another, by files.

A restart writes how the job is to serve into its record, and signals. The job leaves an answer, and
when it goes on as before, it writes that into the record again: a job that is put back into the
queue must not come up with what was refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import (
    Answer,
    Submission,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout


@dataclass(frozen=True)
class Switch:
    """One server ends, so that another can begin; the former is started again if it does not."""

    before: Submission
    python: str  # of the former
    after: Submission


def recorded(layout: Layout) -> Submission | None:
    """The job that is recorded for a profile."""
    path = layout.submission
    content = files.read(path)
    return None if content is None else submission.parse(content, path)


def asked_instead(layout: Layout, serving: Submission) -> Submission | None:
    """What the record asks this job for now; None where it speaks of another job, or of nothing."""
    try:
        found = recorded(layout)
    except NotebookError:
        return None  # damaged by somebody else; whoever reads it next says so
    return found if found and found.mark == serving.mark else None


def answer(layout: Layout, asked: Submission, pid: int, reason: str = "") -> None:
    """Say what has become of it."""
    said = submission.serialise(Answer(asked.mark, asked.turn, pid, reason))
    files.write_private(submission.answer_path(layout), said)


def go_back(layout: Layout, asked: Submission, serving: Submission) -> Submission:
    """Have the record say how the job serves, unless it asks for something else by now."""
    back = asked.serving(serving.launch)
    if asked_instead(layout, serving) == asked:
        files.write_private(layout.submission, submission.serialise(back))
    return back


def answered(layout: Layout, asked: Submission) -> Answer | None:
    """What the job has answered to this restart; an older answer is none."""
    path = submission.answer_path(layout)
    content = files.read(path)
    found = submission.parse_answer(content, path) if content else None
    return found if found and (found.mark, found.turn) == (asked.mark, asked.turn) else None

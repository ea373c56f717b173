# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: what a restart and the job that it is asked of tell one another, by files.

A restart writes how the job is to serve beside its record, and signals. The job leaves an answer,
and once the other server serves, writes so into the record: a job that is put back into the queue
must not come up with what has not proved itself, also where the restart was killed before it could
signal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import (
    Answer,
    Submission,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch, Layout


@dataclass(frozen=True)
class Switch:
    """One server ends, so that another can begin; the former is started again if it does not."""

    before: Submission
    python: str  # of the former
    after: Submission


def recorded(layout: Layout) -> Submission | None:
    """The job that is recorded for a profile."""
    return read(layout.submission)


def read(path: str) -> Submission | None:
    """What a record says; None where there is none."""
    content = files.read(path)
    return None if content is None else submission.parse(content, path)


def ask(layout: Layout, serving: Submission, launch: Launch, timeout: int) -> Submission:
    """Have the job try another server, when it is signalled; no two are asked for in one turn."""
    asked = (asked_instead(layout, serving) or serving).again(launch, timeout)
    files.write_private(submission.asked_path(layout), submission.serialise(asked))
    return asked


def asked_instead(layout: Layout, serving: Submission) -> Submission | None:
    """What this job was last asked for; None where it was another job, or nothing."""
    return _of_this_job(submission.asked_path(layout), serving)


def note(layout: Layout, serves: Submission) -> None:
    """Have the record of this job say how it serves, if that can be written.

    Its id may have been noted meanwhile.
    """
    found = _of_this_job(layout.submission, serves)
    noted = found and replace(serves, job=found.job)
    if noted and noted != found:
        files.leave(layout.submission, submission.serialise(noted))


def _of_this_job(path: str, serving: Submission) -> Submission | None:
    """What a record says; None where it is of another job, or was damaged by somebody else."""
    try:
        found = read(path)
    except NotebookError:
        return None  # whoever reads it next says so
    return found if found and found.mark == serving.mark else None


def answer(layout: Layout, asked: Submission, pid: int, reason: str = "") -> None:
    """Say what has become of it, if that can be written; a restart that hears nothing says so."""
    said = submission.serialise(Answer(asked.mark, asked.turn, pid, reason))
    files.leave(submission.answer_path(layout), said)


def answered(layout: Layout, asked: Submission) -> Answer | None:
    """What the job has answered to this restart; an older answer is none."""
    path = submission.answer_path(layout)
    content = files.read(path)
    found = submission.parse_answer(content, path) if content else None
    return found if found and (found.mark, found.turn) == (asked.mark, asked.turn) else None

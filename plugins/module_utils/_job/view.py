# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of a profile's job: as recorded, as the scheduler sees it, as it serves. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import End, Submission
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record

WAITING, STARTING, STARTED, STOPPED = "waiting", "starting", "started", "stopped"


@dataclass(frozen=True)
class Known:
    """What a scheduler says of one job; empty where it says nothing."""

    job: str
    state: str  # waiting, running, ended, failed
    reason: str = ""
    held: bool = False
    node: str = ""
    expected: str = ""

    @property
    def alive(self) -> bool:
        """Whether the scheduler still has it."""
        return self.state != "ended"


@dataclass(frozen=True)
class View:
    """One look."""

    submission: Submission | None = None
    known: Known | None = None
    end: End | None = None
    server: Record | None = None
    strays: tuple[Known, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether there is a job, which another one would be a second to."""
        return self.known is not None and self.known.alive

    @property
    def hopeless(self) -> bool:
        """Whether waiting is in vain; a job that is held can be let go."""
        return self.known is not None and self.known.state == "failed" and not self.known.held

    @property
    def state(self) -> str:
        """One word for all of it."""
        if self.known is None or not self.known.alive or self.end is not None:
            return STOPPED
        if self.known.state != "running":
            return WAITING
        return STARTED if self.server else STARTING

    @property
    def reason(self) -> str:
        """In the scheduler's words, as long as it has some; of an end, what the job itself says."""
        if self.end is not None:
            return f"ended: {self.end.reason}"
        if self.known is None:
            return "the scheduler does not know the job any more" if self.submission else ""
        return f"ended: {self.known.reason}" if not self.known.alive else self.known.reason


def chosen(jobs: Sequence[Known], submitted: Submission | None) -> Known | None:
    """The job that is recorded; where its id is not known yet, the last one of its name.

    Without a record there is none that counts: such a job would not serve.
    """
    if submitted is None:
        return None
    if submitted.job:
        return next((job for job in jobs if job.job == submitted.job), None)
    alive = [job for job in jobs if job.alive]
    return max(alive or jobs, key=_number, default=None)


def strays(jobs: Sequence[Known], counted: Known | None) -> tuple[Known, ...]:
    """Those that live beside it, of which no record speaks."""
    return tuple(job for job in jobs if job.alive and (counted is None or job.job != counted.job))


def _number(job: Known) -> int:
    return int(job.job) if job.job.isdecimal() else 0

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of a profile's job: as recorded, as the scheduler sees it, as it serves. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import moment_of
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import (
    End,
    Noted,
    Submission,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record

WAITING, STARTING, STARTED, STOPPED = "waiting", "starting", "started", "stopped"
# What the words of a scheduler about an end mean, for those who do not know them.
_MEANINGS = {
    "BOOT_FAIL": "its node could not be started",
    "CANCELLED": "somebody cancelled it",
    "DEADLINE": "its deadline was reached",
    "NODE_FAIL": "its node failed",
    "OUT_OF_MEMORY": "it took more memory than it had",
    "PREEMPTED": "another job was preferred",
    "REVOKED": "another cluster has it",
    "TIMEOUT": "its walltime was reached",
}
_CLEARED_WITHIN = 120.0  # seconds until a job that begins has removed what its former run has left
_CLOCKS = 5.0  # seconds that those of two hosts may differ
_SILENT = "UNKWN"  # LSF's word; every other one says that the job is suspended
_UNTIL_THEN = "the page does not answer until the scheduler goes on with it"


@dataclass(frozen=True)
class Known:
    """What a scheduler says of one job; empty where it says nothing."""

    job: str
    state: str  # waiting, running, ended, failed
    reason: str = ""
    held: bool = False
    node: str = ""
    expected: str = ""
    stalled: str = ""
    begun: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether the scheduler still has it."""
        return self.state != "ended"

    @property
    def told(self) -> str:
        """The scheduler's word, and what it means."""
        if self.held:
            return f"it is held until somebody releases it ({self.reason})"
        meaning = "" if self.alive else _MEANINGS.get(self.reason, "")
        return f"{meaning} ({self.reason})" if meaning else self.reason

    def ran_before(self, written: str, now: float) -> bool:
        """Whether what was written then was left by a run before this one.

        A job that was put back takes a moment to remove that. Afterwards whatever lies there is its
        own, however much the clocks differ.
        """
        then = moment_of(written)
        begins = self.begun and now < self.begun + _CLEARED_WITHIN
        return bool(begins) and then is not None and then < self.begun - _CLOCKS

    @property
    def standstill(self) -> str:
        """That it does not go on, and what this means for the page; empty where it goes on."""
        if not self.stalled:
            return ""
        if self.stalled == _SILENT:
            return (
                f"its node does not answer the scheduler ({self.stalled}): the page may not, either"
            )
        return f"it is suspended ({self.stalled}): {_UNTIL_THEN}"


@dataclass(frozen=True)
class Successor:
    """A job that begins when the one that there is has ended."""

    submission: Submission
    known: Known


@dataclass(frozen=True)
class View:
    """One look."""

    submission: Submission | None = None
    known: Known | None = None
    end: End | None = None
    server: Record | None = None
    noted: Noted | None = None
    strays: tuple[Known, ...] = ()
    successor: Successor | None = None

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
        if self.known is None or not self.known.alive:
            return STOPPED
        if self.known.state != "running":
            return WAITING
        if self.end is not None:
            return STOPPED
        return STARTED if self.server else STARTING

    @property
    def requeued(self) -> bool:
        """Whether it has run, and waits again; one whose node was lost could leave no end."""
        left = (self.end, self.server, self.noted)
        return self.state == WAITING and any(each is not None for each in left)

    @property
    def reason(self) -> str:
        """In the scheduler's words, as long as it has some; of an end, what the job itself says."""
        if self.requeued and self.known:
            return f"it was put back into the queue ({self.known.told or 'no reason is known'})"
        if self.end is not None:
            return f"ended: {self._why_ended(self.end)}"
        if self.known is None:
            return "the scheduler does not know the job any more" if self.submission else ""
        return f"ended: {self.known.told}" if not self.known.alive else self.known.told

    def _why_ended(self, end: End) -> str:
        """Of a signal, the job does not know the reason; its scheduler may."""
        if end.signalled and self.known and not self.known.alive and self.known.told:
            return self.known.told
        return end.reason


def seen(jobs: Sequence[Known], submitted: Submission | None, queued: Submission | None) -> View:
    """What the scheduler's jobs of this profile are, by its records.

    A successor is the job of the profile as soon as the one before it is gone.
    """
    known = chosen([job for job in jobs if queued is None or job.job != queued.job], submitted)
    follows = chosen([job for job in jobs if job != known], queued)
    if queued is None or follows is None or not follows.alive:
        return View(submitted, known, strays=strays(jobs, known))
    if known is None or not known.alive:
        return View(queued, follows, strays=strays(jobs, follows))
    successor = Successor(queued, follows)
    return View(submitted, known, strays=strays(jobs, known, follows), successor=successor)


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


def strays(jobs: Sequence[Known], *counted: Known | None) -> tuple[Known, ...]:
    """Those that live beside these, of which no record speaks."""
    numbers = {each.job for each in counted if each}
    return tuple(job for job in jobs if job.alive and job.job not in numbers)


def _number(job: Known) -> int:
    return int(job.job) if job.job.isdecimal() else 0

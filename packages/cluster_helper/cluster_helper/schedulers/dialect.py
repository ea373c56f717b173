"""What a scheduler's commands are called, and how they are spoken to and understood. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cluster_helper import units
from cluster_helper.job import Job

WAITING, RUNNING, ENDED, FAILED = "waiting", "running", "ended", "failed"


@dataclass(frozen=True)
class Task:
    """One engine's job, as the scheduler sees it."""

    number: int
    state: str  # waiting, running, ended, or failed: it can never run
    reason: str = ""
    """The scheduler's own words."""


@dataclass(frozen=True)
class NamedJob:
    """One job of a person, found by its name."""

    job: str
    """Its id."""
    state: str  # as of a task
    reason: str = ""
    """The scheduler's own words."""
    held: bool = False
    """Whether somebody can let it go."""
    node: str = ""
    """Where it runs."""
    expected: str = ""
    """When it is expected to start, in the scheduler's own words."""
    stalled: str = ""
    """The scheduler's word for a job that has its node and does not go on all the same."""
    begun: float = 0.0
    """When this run of it began, as a time of this computer; 0 where the scheduler does not say."""


def local_moment(text: str) -> float:
    """A time as schedulers write it, by the clock of the place; the earlier one of two.

    0 where it is none.
    """
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def beaten_variables(dialect: Dialect, job: Job) -> list[str]:
    """What must not reach the submission, since this job says it itself. Pure."""
    said = ["", *job.resources.asked(), *(["queue"] if job.queue else [])]
    return [pattern for what in said for pattern in dialect.beaten.get(what, ())]


def with_vanished(before: Sequence[Task], now: Sequence[Task]) -> list[Task]:
    """The tasks of now, and as ended those that a scheduler has forgotten at their end."""
    known = {task.number for task in now}
    gone = [task for task in before if task.number not in known]
    ended = [task if task.state == ENDED else Task(task.number, ENDED) for task in gone]
    return sorted([*now, *ended], key=lambda task: task.number)


def all_ended(before: Sequence[Task], count: int) -> list[Task]:
    """Those of a job that the scheduler does not know any more; what was known of an end stays."""
    return with_vanished([Task(number, RUNNING) for number in range(1, count + 1)],
                         [task for task in before if task.state == ENDED])  # fmt: skip


def with_walltime(
    tasks: Sequence[Task], ran: Mapping[int, float], walltime: int | None
) -> list[Task]:
    """Those that ended when their time was over say so; not every scheduler tells it.

    `ran` holds how many seconds each has run at most.
    """
    return [
        replace(task, reason=f"its walltime of {units.clock(walltime)} was reached")
        if walltime and task.state == ENDED and not task.reason
        and ran.get(task.number, 0) >= walltime
        else task
        for task in tasks
    ]  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """One scheduler."""

    name: str
    title: str
    """What people call it."""
    programs: Sequence[str]
    """What has to be in PATH."""
    prefix: str
    """How a directive begins in a job script."""
    task: str
    """The number of the task, as the shell finds it."""
    resources: frozenset[str]
    """What it has words for."""
    directives: Callable[[Job], list[str]]
    submit: Sequence[str]
    """The path of the script is added."""
    job_id: Callable[[str], str | None]
    """From what submitting printed."""
    cancel: Callable[[str], list[str]]
    query: Callable[[str], list[str]]
    tasks: Callable[[str, str], list[Task]]
    """From the id of a job and what the query printed."""
    telltale: Sequence[str] = ()
    """Further programs that none of its relatives has, and by which it is detected."""
    forgotten: Sequence[str] = ()
    """Its words about a job that ended some time ago."""
    history: Callable[[str], list[str]] | None = None
    """How to ask for a job of which the query only says that it has finished."""
    is_complete: Callable[[str], bool] = lambda _printed: False
    """Whether this is a list of all jobs that live, so that one which is missing has ended."""
    named: Callable[[str], list[str]] | None = None
    """How to ask for the person's jobs of a name; without it, no notebook runs as a job."""
    select: Callable[[str], list[str]] | None = None
    """How to find the ids of these first, where that is another question: `named` gets them."""
    named_jobs: Callable[[str, str], list[NamedJob]] = lambda _name, _printed: []
    """From the name and what that printed."""
    own_id: str = ""
    """The id of such a job, as the shell finds it there."""
    terminate: Callable[[str], list[str]] | None = None
    """How the first process of a job is asked to end; where None, cancelling does that first."""
    signal: Callable[[str, int], list[str]] | None = None
    """How that process is sent a signal by its number; where None, that is not possible."""
    verify: Sequence[str] = ()
    """How it is asked whether it would take a script on standard input, if it can be."""
    explain: Callable[[str], list[str]] | None = None
    """A further question for the reason why a job waits."""
    reason: Callable[[str], str] = str.strip
    hopeless: Callable[[str], bool] = lambda _printed: False
    """Whether it says that waiting is in vain."""
    after: Callable[[str], list[str]] | None = None
    """The options of a job that begins when another one has ended, however that was."""
    days: bool = False
    """Whether it writes a walltime as 1-00:00:00, too."""
    stdin: bool = False
    """Whether it wants the script on standard input instead."""
    settings: Sequence[str] = ()
    """Which variables of the person's environment its commands obey; * matches any ending."""
    beaten: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Which of these would win over a directive, by what it is about; under "" for every job."""
    unclear: Callable[[Mapping[str, str]], str] = lambda _environment: ""
    """Why it cannot be said, by these variables, whose job a number would mean."""
    repeats: bool = False
    """Whether only the command line wins over the person's own files of default options."""
    waits: bool = False
    """Whether these files may have submitting wait for the job's end, whatever the command says."""

    def has_forgotten(self, said: str) -> bool:
        """Whether it says that it does not know the job any more."""
        return any(words.lower() in said.lower() for words in self.forgotten)

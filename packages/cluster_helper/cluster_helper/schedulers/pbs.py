"""What Torque and PBS Pro have in common. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from cluster_helper.schedulers.dialect import ENDED, FAILED, RUNNING, WAITING, NamedJob, Task
from cluster_helper.schedulers.person import person

# B is an array that has begun, X a finished task of one; H is held, by a person or by an error; U
# makes room for whoever sits at the machine.
_STATES = {"Q": WAITING, "W": WAITING, "T": WAITING, "S": RUNNING, "R": RUNNING, "E": RUNNING,
           "U": RUNNING, "B": RUNNING, "H": FAILED}  # fmt: skip
_STALLED = ("S", "U")
# How a comment begins that ends the hope for this job. Words inside of one mean nothing: they may
# be a person's, a queue's or a resource's.
_REJECTED = re.compile(r"Can Never Run\b|Job held by\b", re.IGNORECASE)
# What the array says of itself stands with each of its members that still wait.
_ABOUT_THE_ARRAY = re.compile(r"Job Array Began at\b", re.IGNORECASE)
# An index stands in brackets, in the oldest Torque behind a dash; behind the dot is the server.
FORGOTTEN = ("Unknown Job Id", "Job has finished")
_ID = re.compile(r"\s*\d+(?:\[(\d*)\]|-(\d+))?(?:\.|\s|$)")


def job_id(printed: str) -> str | None:
    """123, 123.server, 123[].server: the part that commands want."""
    match = re.search(r"^(\d+(?:\[\])?)(?:\.\S+)?$", printed, re.MULTILINE)
    return match[1] if match else None


def reader(limits: Mapping[int, str]) -> Callable[[str, str], list[Task]]:
    """Of `qstat -f`: one block for each job, `name = value`, long values folded with a tab.

    `limits` has the exit status with which the server ends a job that took too much, and of what.
    """

    def tasks(_job: str, printed: str) -> list[Task]:
        return [_task(number, block, limits) for number, block in _blocks(printed)]

    return tasks


OWN_ID = "${PBS_JOBID%%.*}"  # without the server, as commands and answers are read
# The variables that name the server and its configuration.
SETTINGS = ("PBS_DEFAULT", "PBS_SERVER", "PBS_CONF_FILE", "PBS_EXEC")


def select(name: str) -> list[str]:
    """The ids of the person's jobs of this name that live."""
    return ["qselect", "-u", person(), "-N", name]


def named(jobs: str) -> list[str]:
    """All about these."""
    return ["qstat", "-f", *jobs.split()]


def after(job: str) -> list[str]:
    """Begin when that one has ended, however it was."""
    return [f"-W depend=afterany:{job}"]


def named_reader(limits: Mapping[int, str]) -> Callable[[str, str], list[NamedJob]]:
    """The same for single jobs that are known by their names."""

    def named_jobs(name: str, printed: str) -> list[NamedJob]:
        found = [
            (head, block) for head, block in _described(printed) if block.get("Job_Name") == name
        ]
        return [_named_job(head, block, limits) for head, block in found]

    return named_jobs


def _named_job(head: str, block: dict[str, str], limits: Mapping[int, str]) -> NamedJob:
    task = _task(1, block, limits)
    host = re.match(r"[^/.+]+", block.get("exec_host", ""))
    return NamedJob(
        head.strip().partition(".")[0],
        task.state,
        task.reason,
        task.state == FAILED and block.get("Hold_Types", "n") != "n",
        host[0] if host and task.state == RUNNING else "",
        block.get("estimated.start_time", "") if task.state == WAITING else "",
        state if (state := block.get("job_state", "")) in _STALLED else "",
    )


def _blocks(printed: str) -> Iterator[tuple[int, dict[str, str]]]:
    for head, block in _described(printed):
        number = _number(head)
        if number is not None:
            yield number, block


def _described(printed: str) -> Iterator[tuple[str, dict[str, str]]]:
    unfolded = printed.replace("\r", "").replace("\n\t", "")
    for text in re.split(r"^Job Id:", unfolded, flags=re.MULTILINE)[1:]:
        head, _end, rest = text.partition("\n")
        yield head, dict(re.findall(r"^\s*([\w.]+) = (.*)$", rest, re.MULTILINE))


def _number(head: str) -> int | None:
    """1 for a job that is no array, None for the array itself."""
    found = _ID.match(head)
    if found is None or found[1] == "":
        return None
    return int(found[1] or found[2] or 1)


def _task(number: int, block: dict[str, str], limits: Mapping[int, str]) -> Task:
    kind = _STATES.get(block.get("job_state", ""), ENDED)
    comment = block.get("comment", "")
    reason = "" if _ABOUT_THE_ARRAY.match(comment) else comment
    if kind == ENDED:
        status = block.get("exit_status", block.get("Exit_status"))  # Torque's, PBS Pro's
        return Task(number, kind, reason if status is None else how_it_ended(status, limits))
    if kind == FAILED or (kind == WAITING and block.get("Hold_Types", "n") != "n"):
        return Task(number, FAILED, _held(reason, block))
    return Task(number, FAILED if kind == WAITING and _REJECTED.match(reason) else kind, reason)


def _held(comment: str, block: dict[str, str]) -> str:
    """A comment that was written before the hold tells something else."""
    if comment and not comment.startswith("Not Running"):
        return comment
    types = block.get("Hold_Types", "n")
    return "the job is held" if types == "n" else f"the job is held (Hold_Types = {types})"


def how_it_ended(status: str, limits: Mapping[int, str]) -> str:
    """The limit by name; a signal by its number, which shells and servers add to 128 or 256."""
    number = int(status) if re.fullmatch(r"-?\d{1,9}", status) else 0
    if number in limits:
        return f"its {limits[number]} was reached"
    signal = number - (256 if number > 256 else 128)
    return f"exit status {status}" + (f" (signal {signal})" if 0 < signal < 65 else "")

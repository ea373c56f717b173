"""What Torque and PBS Pro have in common. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cluster_helper.schedulers.dialect import ENDED, FAILED, RUNNING, WAITING, Task

# B is an array that has begun, X a finished task of one; H is held, by a person or by an error.
_STATES = {"Q": WAITING, "W": WAITING, "T": WAITING, "S": RUNNING, "R": RUNNING, "E": RUNNING,
           "B": RUNNING, "H": FAILED}  # fmt: skip
_REJECTED = re.compile(r"can never run|hold|Held|HELD|not exist|PartitionDown|JobHeld\w*", re.I)


def job_id(printed: str) -> str | None:
    """123, 123.server, 123[].server: the part that commands want."""
    match = re.search(r"^(\d+(?:\[\])?)(?:\.\S+)?$", printed, re.MULTILINE)
    return match[1] if match else None


def tasks(_job: str, printed: str) -> list[Task]:
    """From `qstat -f`: one block for each job, `name = value`, long values folded with a tab."""
    return [_task(number, block) for number, block in _blocks(printed)]


def _blocks(printed: str) -> Iterator[tuple[int, dict[str, str]]]:
    unfolded = printed.replace("\r", "").replace("\n\t", "")
    for text in re.split(r"^Job Id:", unfolded, flags=re.MULTILINE)[1:]:
        head, _end, rest = text.partition("\n")
        number = re.search(r"\[(\d+)\]|_(\d+)|-(\d+)", head)
        pairs = re.findall(r"^\s*([\w.]+) = (.*)$", rest, re.MULTILINE)
        index = next((int(group) for group in number.groups() if group), 0) if number else 1
        if "[]" not in head:
            yield index, dict(pairs)


def _task(number: int, block: dict[str, str]) -> Task:
    kind = _STATES.get(block.get("job_state", ""), ENDED)
    reason = block.get("comment", "")
    if kind == FAILED:
        reason = reason or "the job is held"
    if kind == WAITING and _REJECTED.search(reason):
        kind = FAILED
    if kind == ENDED:
        status = block.get("exit_status", block.get("Exit_status"))  # Torque's, PBS Pro's
        reason = reason if status is None else f"exit status {status}"
    return Task(number, kind, reason)

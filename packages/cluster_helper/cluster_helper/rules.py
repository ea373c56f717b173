"""What a name or number handed to a scheduler may look like. Pure.

Every value that reaches a job script has passed here, so that none can become another line,
another option or a command.
"""

from __future__ import annotations

import re

from cluster_helper.errors import ClusterError

_NAMES = {
    "queue": (r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", "main or gpu-a100_2"),
    "account": (r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}", "ged-intel11"),
    "project": (r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}", "genomics"),
    "qos": (r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}", "short"),
    "feature": (r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "intel18"),
    "tag": (r"[A-Za-z][A-Za-z0-9_-]{0,31}", "genes"),
    "profile": (r"[A-Za-z0-9_][A-Za-z0-9_-]{0,31}", "nbserver"),
    "parallel environment": (r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "smp"),
    "scheduler": (r"[A-Za-z]{1,16}", "slurm"),
    "address": (r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}", "ib0 or 10.0.0.7"),
}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def name(kind: str, value: object) -> str:
    """The value itself when it is a name of this kind."""
    pattern, example = _NAMES[kind]
    if isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII):
        return value
    raise ClusterError(f"{kind} must be one plain name such as {example}, got {value!r}")


def whole(kind: str, value: object, lowest: int, highest: int) -> int:
    """The number itself when it is a whole one within the limits; True is none."""
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return value
    limits = f"from {lowest} to {highest}"
    raise ClusterError(f"{kind} must be a whole number {limits}, got {value!r}")


def boolean(kind: str, value: object) -> bool:
    """The value itself when it is True or False; text and numbers are neither."""
    if isinstance(value, bool):
        return value
    raise ClusterError(f"{kind} must be True or False, got {value!r}")


def number(kind: str, value: object, highest: float) -> float:
    """A plain number above zero."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= highest:
        return float(value)
    raise ClusterError(f"{kind} must be a number above 0 and at most {highest:g}, got {value!r}")


def line(kind: str, value: str) -> str:
    """The text itself when it stays on one line."""
    found = _CONTROL.search(value)
    if found:
        raise ClusterError(f"{kind} must not contain the control character {found[0]!r}")
    return value


def left_out(value: object) -> bool:
    """What is None or blank was not said: programs put calls together from what they have."""
    return value is None or (isinstance(value, str) and not value.strip(" "))

"""One job to submit: an array of engines, or the one of a notebook. A plain value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cluster_helper.resources import Resources


@dataclass(frozen=True)
class Job:
    """Everything that a job script is made of."""

    name: str
    count: int
    """How many members the array has; 0 makes a job of its own that is no array."""
    command: Sequence[str]
    """What each engine runs; its number is added. One that is no array gets its own id instead."""
    directory: str
    path: str
    """What comes first in PATH there."""
    log: str
    """Where the output of each engine goes: this, its number and .log. Else this is the file."""
    resources: Resources = field(default_factory=Resources)
    cores: int = 1
    queue: str | None = None
    parallel_environment: str = "smp"
    """Grid Engine's, for jobs of several cores."""
    after: str = ""
    """The id of a job that has to end before this one begins, however it ends."""

"""One job to submit: an array of engines. A plain value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cluster_helper.resources import Resources


@dataclass(frozen=True)
class Job:
    """Everything that a job script is made of."""

    name: str
    count: int
    command: Sequence[str]
    """What each engine runs; its number is added."""
    directory: str
    path: str
    """What comes first in PATH there."""
    log: str
    """Where the output of each engine goes: this, its number and .log."""
    resources: Resources = field(default_factory=Resources)
    cores: int = 1
    queue: str | None = None
    parallel_environment: str = "smp"
    """Grid Engine's, for jobs of several cores."""

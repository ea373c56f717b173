"""What was attacked, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

# Whatever a person runs; each of them has to be attacked.
RUNS = (
    "setup", "setup --check", "start", "restart", "status", "connect", "open", "doctor",
    "parallel", "stop", "teardown", "cluster_view",
)  # fmt: skip
_ONLY_IN_CHECK_MODE = (
    "connect --check",
    "open --check",
    "teardown --check",
)  # it does nothing to a server


def run_of(line: str) -> str:
    """The column of the matrix that a command line belongs to."""
    return line.split()[0] if line in _ONLY_IN_CHECK_MODE else line


@dataclass
class Report:
    """What was tried, and what came of it."""

    variants: dict[str, list[str]] = field(default_factory=dict)
    matrix: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    attempts: int = 0
    heard: int = 0
    rounds: int = 0

    def note(self, variant: str, *successes: str, what: str = "", line: str = "") -> None:
        """One attack: on which run, with which kind of thing, and what the attacker got."""
        name = f"{variant}, {line}" if line else variant
        self.attempts += 1
        self.variants.setdefault(name, []).extend(successes)
        if line:
            self.matrix.setdefault(what or variant, {}).setdefault(run_of(line), set()).add(name)
        print(f"    {name}: {'; '.join(successes) or 'nothing'}", flush=True)

    @property
    def successes(self) -> list[str]:
        return [f"{name}: {text}" for name, found in self.variants.items() for text in found]

    @property
    def unattacked(self) -> list[str]:
        """The runs that nothing was tried on."""
        attacked = {run for runs in self.matrix.values() for run in runs}
        return [run for run in RUNS if run not in attacked]

    def table(self) -> Iterator[str]:
        """How many variants of each kind of thing were tried on each run."""
        yield f"| {' | '.join(['what she does', *RUNS])} |"
        yield "| --- |" + " ---: |" * len(RUNS)
        for what, runs in self.matrix.items():
            yield f"| {' | '.join([what, *(_count(runs.get(run)) for run in RUNS)])} |"
        whole = [set().union(*(runs.get(run, ()) for runs in self.matrix.values())) for run in RUNS]
        yield f"| {' | '.join(['all', *map(_count, whole)])} |"

    def __str__(self) -> str:
        return (
            f"{self.attempts} attacks in {len(self.variants)} variants, "
            f"{len(self.successes)} successes; "
            f"{self.heard} bytes of kernel traffic read in {self.rounds} rounds"
        )


def _count(names: set[str] | None) -> str:
    return str(len(names)) if names else ""

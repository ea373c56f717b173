"""What was attacked, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """What was tried, and what came of it."""

    variants: dict[str, list[str]] = field(default_factory=dict)
    attempts: int = 0
    heard: int = 0
    rounds: int = 0

    def note(self, variant: str, *successes: str) -> None:
        self.attempts += 1
        self.variants.setdefault(variant, []).extend(successes)
        print(f"    {variant}: {'; '.join(successes) or 'nothing'}", flush=True)

    @property
    def successes(self) -> list[str]:
        return [text for found in self.variants.values() for text in found]

    def __str__(self) -> str:
        return (
            f"{self.attempts} attacks in {len(self.variants)} variants, "
            f"{len(self.successes)} successes; "
            f"{self.heard} bytes of kernel traffic read in {self.rounds} rounds"
        )

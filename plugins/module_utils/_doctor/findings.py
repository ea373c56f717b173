# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen, and what is found in it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Mapping, Optional, Sequence

OK, WARNING, WRONG = "ok", "warning", "wrong"


@dataclass(frozen=True)
class Finding:
    """One line for a person: how it is with something, and what to type about it."""

    level: str
    subject: str
    what: str
    todo: str = ""
    place: str = ""

    def lines(self) -> list[str]:
        """As it is printed."""
        first = f"{self.level:8} {self.subject}: {self.what}"
        return [first, f"{'':8} -> {self.todo}"] if self.todo else [first]


@dataclass(frozen=True)
class Seen:
    """Everything that was observed, by name; a name that is missing was not to be seen."""

    answers: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str:
        """The first value; empty when there is none."""
        return next(iter(self.answers.get(name, ())), "")

    def all(self, name: str) -> Sequence[str]:
        """Every value."""
        return tuple(self.answers.get(name, ()))

    def number(self, name: str) -> float | None:
        """The value as a number; None when it is none."""
        try:
            number = float(self.one(name))
        except ValueError:
            return None
        return number if math.isfinite(number) else None


HOME, TEMPORARY = "home directory", "temporary files"


def unwritten_place(seen: Seen) -> str:
    """The first place that was tried and took nothing: what writes there is not to blame."""
    tried = {HOME: seen.one("home_write"), TEMPORARY: seen.one("tmp_write")}
    return next((place for place, said in tried.items() if said not in ("", "yes")), "")


# None: there is nothing to say about it here.
# What a check sees has the name under which the node was asked: in its subject's QUESTIONS, or by
# scripts/doctor/look.sh and inside.py where it takes more than a line.
Check = Callable[[Seen], Optional[Finding]]


def ok(subject: str, what: str, todo: str = "") -> Finding:
    """All is well, as far as can be seen from here; a person may know more and have to act."""
    return Finding(OK, subject, what, todo)


def warning(subject: str, what: str, todo: str) -> Finding:
    """It works, but not for everybody or not for long."""
    return Finding(WARNING, subject, what, todo)


def wrong(subject: str, what: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(WRONG, subject, what, todo)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every rule is made of: showing a value, refusing what is no plain text, counting."""

from __future__ import annotations

import datetime
import re
from typing import Callable, Optional, Pattern

Rule = Callable[[object], Optional[str]]

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DIGITS = re.compile(r"0|[1-9][0-9]{0,9}")
_SHOWN = 60


def shown(value: object) -> str:
    """The value as it may stand in a message: one line, printable, cut when it is long."""
    if isinstance(value, str):
        text = repr(str(value))
    else:
        text = str(value) if integer(value) is not None else f"{value} ({kind(value)})"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def kind(value: object) -> str:
    """What a YAML author would call the type of the value."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, dict):
        return "a dictionary"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, datetime.date):
        return "a date"
    return "text" if isinstance(value, str) else f"a {type(value).__name__}"


def no_text(value: object) -> str:
    """The reason for what is no text; quotes make text only of what is a single value."""
    several = value is None or isinstance(value, (dict, list, tuple))
    return f"must be text, got {shown(value)}{'' if several else ': write it in quotes'}"


def text(value: object) -> str | None:
    """Any text of any lines, without the characters that a terminal would obey."""
    if not isinstance(value, str):
        return no_text(value)
    found = CONTROL.search(value.replace("\n", "").replace("\t", ""))
    return f"must not contain the control character {found.group()!r}" if found else None


def line(value: object) -> str | None:
    """One line of text that is not empty."""
    if not isinstance(value, str):
        return no_text(value)
    if not value:
        return "must not be empty"
    found = CONTROL.search(value)
    return f"must not contain the control character {found.group()!r}" if found else None


def matching(pattern: Pattern[str], demand: str) -> Rule:
    """A rule for one line that matches as a whole; the demand completes "must be …"."""

    def rule(value: object) -> str | None:
        reason = line(value)
        if reason or pattern.fullmatch(str(value)):
            return reason
        return f"must be {demand}, got {shown(value)}"

    return rule


def whole_number(lowest: int, highest: int) -> Rule:
    """A rule for an integer, or ASCII digits as `-e name=8888` brings them; a boolean is none."""

    def rule(value: object) -> str | None:
        number = integer(value)
        if number is not None and lowest <= number <= highest:
            return None
        return f"must be a whole number from {lowest} to {highest}, got {shown(value)}"

    return rule


def integer(value: object) -> int | None:
    """The number that an option means, or None where it is not plainly one."""
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def list_of(rule: Rule) -> Rule:
    """A rule for a list whose items follow another one; a wrong item is told by its place."""

    def items(value: object) -> str | None:
        if not isinstance(value, (list, tuple)):
            return f"must be a list, got {shown(value)}"
        reasons = (rule(item) for item in value)
        return next((f"item {place} {r}" for place, r in enumerate(reasons, 1) if r), None)

    return items

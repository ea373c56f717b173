# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that the doctor looks at, in the order from the laptop to the kernel. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import (
    computer,
    distribution,
    node,
    path,
    serving,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    OK,
    WARNING,
    WRONG,
    Check,
    Finding,
    Seen,
)

CHECKS: Sequence[Check] = (
    *computer.CHECKS,
    *path.CHECKS,
    *node.CHECKS,
    *distribution.CHECKS,
    *serving.CHECKS,
)
# What the checks themselves ask a node: name → a line of POSIX shell that prints the values.
QUESTIONS: Mapping[str, str] = {
    **path.QUESTIONS,
    **node.QUESTIONS,
    **distribution.QUESTIONS,
    **serving.QUESTIONS,
}


def questions() -> str:
    """The same for the shell: the name, a space, the line."""
    return "\n".join(f"{name} {line}" for name, line in QUESTIONS.items())


def findings(seen: Seen) -> list[Finding]:
    """What there is to say about each of them."""
    found = (check(seen) for check in CHECKS)
    return [finding for finding in found if finding]


def report(found: Sequence[Finding], only: str = "all") -> list[str]:
    """The lines for a person, all or those of one level, with the sum at the end."""
    levels = Counter(finding.level for finding in found)
    total = (
        f"{len(found)} checks: {levels[OK]} ok, {levels[WARNING]} to look at, {levels[WRONG]} wrong"
    )
    shown = [finding for finding in found if only in ("all", finding.level)]
    return [*(line for finding in shown for line in finding.lines()), f"{total}."]


def is_wrong(found: Sequence[Finding]) -> bool:
    """Whether something does not work."""
    return any(finding.level == WRONG for finding in found)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that the doctor looks at, in the order from the laptop to the kernel. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import (
    computer,
    distribution,
    jobs,
    node,
    path,
    serving,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    Check,
    Finding,
    Seen,
)

# Where a person has to look: what each place is called, and its checks.
PLACES: Mapping[str, Sequence[Check]] = {
    "this computer": computer.CHECKS,
    "the way there": path.CHECKS,
    "the node": (*node.CHECKS, *distribution.CHECKS, *serving.CHECKS, *jobs.CHECKS),
    jobs.PLACE: jobs.CHECKS_THERE,
}
CHECKS: Sequence[Check] = tuple(check for checks in PLACES.values() for check in checks)
# What the checks themselves ask a node: name → a line of POSIX shell that prints the values.
QUESTIONS: Mapping[str, str] = {
    **path.QUESTIONS,
    **node.QUESTIONS,
    **distribution.QUESTIONS,
    **serving.QUESTIONS,
    **jobs.QUESTIONS,
}


def questions() -> str:
    """The same for the shell: the name, a space, the line."""
    return "\n".join(f"{name} {line}" for name, line in QUESTIONS.items())


def findings(seen: Seen) -> list[Finding]:
    """What there is to say about each of them."""
    found = ((place, check(seen)) for place in PLACES for check in PLACES[place])
    return [replace(finding, place=place) for place, finding in found if finding]

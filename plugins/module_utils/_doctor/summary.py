# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor found, in sum: for a person, and for a program. Pure.

It knows no check: a filter uses it, and Ansible loads all filters in the process of each task.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    OK,
    WARNING,
    WRONG,
    Finding,
)


def report(found: Sequence[Finding], only: str = "all") -> list[str]:
    """The lines for a person, all or those of one level: the sum, and then place by place."""
    shown = [finding for finding in found if only in ("all", finding.level)]
    there = groupby(shown, key=lambda finding: finding.place)
    return [total(found), *(line for place, part in there for line in _part(place, part))]


def total(found: Sequence[Finding]) -> str:
    """How many there are of each level."""
    of = levels(found)
    return f"{len(found)} checks: {of[OK]} ok, {of[WARNING]} to look at, {of[WRONG]} wrong."


def levels(found: Iterable[Finding]) -> dict[str, int]:
    """The same as numbers."""
    counted = Counter(finding.level for finding in found)
    return {level: counted[level] for level in (OK, WARNING, WRONG)}


def _part(place: str, found: Iterable[Finding]) -> list[str]:
    heading = f"{place[:1].upper()}{place[1:]}:"
    return ["", heading, *(line for finding in found for line in finding.lines())]


def is_wrong(found: Sequence[Finding]) -> bool:
    """Whether something does not work."""
    return levels(found)[WRONG] > 0


def document(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the doctor returned for each host, for a program.

    A host that it could not look at is not healthy.
    """
    hosts = [_of_host(host, answer) for host, answer in answers.items()]
    return {"healthy": bool(hosts) and all(host["healthy"] for host in hosts), "hosts": hosts}


def _of_host(host: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    found = [Finding(**finding) for finding in answer.get("findings", ())]
    return {
        "host": host,
        "healthy": bool(found) and not is_wrong(found),
        "message": str(answer.get("msg", "")),
        "counts": levels(found),
        "checks": [vars(finding) for finding in found],
    }

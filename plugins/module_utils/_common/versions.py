# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions, as far as their leading numbers tell. Pure; where there is no `packaging`."""

from __future__ import annotations

import re

_BOUND = re.compile(r"(>=|<)([0-9.]+)")


def version(text: str) -> tuple[int, ...]:
    """The leading numbers of a version, to compare it with another."""
    parts = text.replace("-", ".").split(".")
    numbers = []
    for part in parts:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def name_of(requirement: str) -> str:
    """The name in a requirement such as ipyparallel>=9,<10."""
    return re.split(r"[<>=]", requirement, maxsplit=1)[0].strip()


def fulfils(requirement: str, found: str) -> bool:
    """Whether a version lies within the bounds of a requirement, which are >= and < alone."""
    bounds = _BOUND.findall(requirement)
    return all(
        version(found) >= version(bound) if kind == ">=" else version(found) < version(bound)
        for kind, bound in bounds
    )

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requirements against what is installed. Pure; only for the controller, which has `packaging`.

It is imported where it is used: ansible-test imports plugins in an environment without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
)


def installed(seen: Observed) -> dict[str, str]:
    """Name → version of everything in the live generation, under comparable names."""
    found: dict[str, str] = {}
    for conda in seen.condas:  # name-version-build
        name, version, _build = [*conda.rsplit("-", 2), "", ""][:3]
        found[_canonical(name)] = version
    for dist in seen.dists:  # name-version; what Python itself sees counts
        name, _dash, version = dist.partition("-")
        found[_canonical(name)] = version
    return found


def name_of(requirement: str) -> str:
    """The name in a requirement such as numpy>=1.26,<3."""
    return _canonical(re.split(r"[<>=!~]", requirement, maxsplit=1)[0])


def missing(requirements: Iterable[str], found: Mapping[str, str]) -> list[str]:
    """The requirements that what is installed does not fulfil."""
    return [wanted for wanted in requirements if not _fulfils(wanted, found.get(name_of(wanted)))]


def held(requirements: Iterable[str], found: Mapping[str, str]) -> dict[str, str]:
    """Requirement → "name version" of what is there for it; empty when nothing is."""
    return {wanted: _held(name_of(wanted), found) for wanted in requirements}


def _canonical(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def _held(name: str, found: Mapping[str, str]) -> str:
    return f"{name} {found[name]}" if name in found else ""


def _fulfils(requirement: str, version: str | None) -> bool:
    if version is None:
        return False
    from packaging.requirements import Requirement
    from packaging.version import InvalidVersion, Version

    specifier = Requirement(requirement).specifier
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:  # conda allows more than Python does; then only the very same counts
        return not specifier or str(specifier).lstrip("=") == version

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done for an installation, and why. Pure: values go in, a plan comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Container, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._installation.installers import (
    Installer,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
    Record,
)

INSTALL = "install"
PACKAGES = "packages"
ADOPT = "adopt"
ROLLBACK = "rollback"
REMOVE = "remove"
CLEAN = "clean"
ADOPTED = "adopted"  # the name of the one generation that somebody made by hand


@dataclass(frozen=True)
class Plan:
    """What to do (nothing when job is empty), with which reason, and what it leads to."""

    job: str
    reason: str
    generation: str
    packages: tuple[str, ...] = ()  # the requirements that are not fulfilled
    again: tuple[Record, ...] = ()  # what has to be installed once more, whatever it seems to be


def decide(
    installer: Installer,
    packages: Sequence[str],
    missing: Sequence[str],
    seen: Observed,
    adopt: bool = False,
    group: str = "",
) -> Plan:
    """The plan; missing are those of the packages that the live generation does not have."""
    if adopt and seen.what == "directory":
        return Plan(ADOPT, f"adopting what lies at {seen.prefix}", ADOPTED, tuple(packages))
    reason = why_install(installer, seen)
    if reason:
        return Plan(INSTALL, reason, generation_name(installer, seen), tuple(packages))
    if seen.changing:
        reason = "an earlier change of the packages was cut off"
        cut_off = tuple({"name": name} for name in seen.changing.split())
        return Plan(PACKAGES, reason, seen.live, tuple(missing), (*seen.lost, *cut_off))
    if seen.lost:
        return Plan(PACKAGES, without_files(seen.lost), seen.live, tuple(missing), seen.lost)
    if missing:
        reason = f"not there or in another version: {', '.join(missing)}"
        return Plan(PACKAGES, reason, seen.live, tuple(missing))
    if group and not is_for_group(group, seen):
        return Plan(CLEAN, f"it is not for the group {group} alone yet", seen.live)
    if seen.held == "dead":
        return Plan(CLEAN, "an earlier run was cut off while it cleaned up", seen.live)
    return Plan("", f"{seen.live} is complete", seen.live)


def back(left: str, seen: Observed) -> Plan:
    """The way to the generation that a call has left, when it fails in the one that it went to."""
    if left == seen.live or left not in seen.complete:
        return Plan("", "nothing else is live than before", seen.live)
    return Plan(INSTALL, f"{left} was live before", left)


def is_for_group(group: str, seen: Observed) -> bool:
    """Whether the members of the group, and nobody else but the owner, get into the store."""
    mode, *names = seen.readers.split() or [""]
    return mode[-3:] == "750" and group in names


def why_install(installer: Installer, seen: Observed) -> str:
    """Why what is live is not what is wanted; empty when it is."""
    marker = seen.marker
    if not seen.live:
        return "nothing is installed yet"
    if not marker:
        return f"{seen.live} is damaged: it has no completion marker, or its files have moved"
    if not seen.python:
        return f"{seen.live} is damaged: its Python does not run"
    if seen.damaged:
        return f"{seen.live} is damaged: {without_files(seen.damaged)}"
    if seen.live == ADOPTED and marker.get("distribution") == installer.distribution:
        return ""
    if marker.get("sha256") != installer.sha256:
        found = f"{marker.get('distribution')} {marker.get('version')}"
        return f"{found} is installed, {installer.distribution} {installer.version} is wanted"
    return ""


def without_files(packages: Sequence[Record]) -> str:
    """What is missing of which packages, in words."""
    each = (f"{one['name']} (such as {one['path']})" for one in packages)
    return f"files are missing or empty in {', '.join(each)}"


def generation_name(installer: Installer, seen: Observed) -> str:
    """A name whose directory may be replaced: a damaged generation that is still live may not.

    Nor may what somebody else has put there, or what we cannot prove to be ours any longer. Another
    one of the same installer is not gone back to: what damaged the live one may have met it, too.
    """
    name, number = installer.name, 1
    spent = {*seen.taken, seen.live}
    if seen.live.startswith(installer.name):
        spent |= seen.complete.keys()
    while name in spent:
        number += 1
        name = f"{installer.name}-{number}"
    return name


def diff(
    plan: Plan, packages: Sequence[str], have: Mapping[str, str], seen: Observed
) -> dict[str, str]:
    """What changes, known before anything is done: requirements stand for versions yet unknown."""
    lost = {one["name"] for one in seen.lost}
    before = [_state(have[spec], lost) for spec in packages if have.get(spec)]
    after = [
        spec if plan.job == INSTALL or spec in plan.packages else have.get(spec, spec)
        for spec in packages
    ]
    return {
        "before_header": seen.prefix,
        "after_header": seen.prefix,
        "before": _text(seen.live, before),
        "after": _text(plan.generation, after),
    }


def _state(held: str, lost: Container[str]) -> str:
    return f"{held} (files are missing or empty)" if held.split()[0] in lost else held


def _text(generation: str, lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in (generation, *lines)) if generation else ""

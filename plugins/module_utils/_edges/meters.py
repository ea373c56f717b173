# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: how much memory processes use of what they may, as their cgroups say.

A limit is one of the kernel's only where a cgroup has it: that of a job, of a person on a login
node, of a container. Any of the cgroups above may be the one whose limit is met first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes

MOUNTED = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60  # how version 1 says it: the largest number of pages


@dataclass(frozen=True)
class _Version:
    """The files of one version of cgroups."""

    limit: str
    used: str
    cache: str  # in memory.stat: what the kernel gives back before it kills


_SECOND = _Version("memory.max", "memory.current", "inactive_file")
_FIRST = _Version("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


@dataclass(frozen=True)
class Memory:
    """Bytes."""

    used: int
    limit: int  # 0 where there is none


def memory(pid: int) -> Memory | None:
    """What a process and all that share its tightest limit use; None where nothing limits it."""
    found = [each for each in _limited(pid) if each.limit]
    return min(found, key=lambda each: each.limit - each.used, default=None)


def resident(pid: int) -> int:
    """Bytes that a process and all that came from it occupy; what they share counts for each."""
    return sum(map(processes.resident_bytes, processes.family(pid)))


def _limited(pid: int) -> Iterator[Memory]:
    for version, directory in _cgroups(pid):
        limit = _number(directory / version.limit)
        used = _number(directory / version.used)
        if limit is not None and used is not None and limit < _UNLIMITED:
            yield Memory(max(0, used - _cached(directory, version.cache)), limit)


def _cgroups(pid: int) -> Iterator[tuple[_Version, Path]]:
    """Those that a process is in, from its own to the one of all."""
    for controllers, path in processes.cgroups(pid):
        if controllers == "":
            for top in (MOUNTED, MOUNTED / "unified"):
                yield from ((_SECOND, each) for each in _upwards(top, path))
        elif "memory" in controllers.split(","):
            yield from ((_FIRST, each) for each in _upwards(MOUNTED / "memory", path))


def _upwards(top: Path, path: str) -> Iterator[Path]:
    own = top / path.lstrip("/")
    inside = [each for each in (own, *own.parents) if top == each or top in each.parents]
    return iter(inside if ".." not in own.parts else [top])


def _cached(directory: Path, name: str) -> int:
    try:
        lines = (directory / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    words = (line.split() for line in lines)
    return next((int(word[1]) for word in words if word[:1] == [name]), 0)


def _number(path: Path) -> int | None:
    """What a file of the kernel holds; None for `max`, and where there is no such file."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None

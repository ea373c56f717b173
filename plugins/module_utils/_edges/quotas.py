# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: what a person's quota allows, as the tools say that everybody may ask.

`df` speaks of the whole file system. Where no tool knows of a quota, nothing is known.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.quota import Quota, parse
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes

WITHIN = 3.0  # seconds; a file server that is down keeps its tool waiting much longer


@dataclass(frozen=True)
class Mount:
    """A file system as the kernel names it."""

    point: str
    kind: str
    source: str


def at(path: str, user: str) -> Quota | None:
    """The quota of whoever runs this where a path lies; None where nothing tells of one."""
    found = mount_of(path, processes.mounts())
    if found is None:
        return None
    lustre = found.kind == "lustre"
    argv = ["lfs", "quota", "-u", user, path] if lustre else ["quota", "-w", "-p"]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        said = processes.run(argv, timeout=WITHIN, env=environment).stdout
    except NotebookError:
        return None
    return parse(said, path if lustre else found.source)


def fields(found: Quota | None) -> dict[str, int]:
    """As they are reported: of the person at home."""
    return {f"home_{name}": value for name, value in vars(found).items()} if found else {}


def mount_of(path: str, lines: Sequence[str]) -> Mount | None:
    """Where a path lies, by the lines of mountinfo; the last of those on one place is on top."""
    real = os.path.realpath(path)
    best = None
    for line in lines:
        before, _dash, after = line.partition(" - ")
        fields, of_kind = before.split(), after.split()
        if len(fields) < 5 or len(of_kind) < 2:
            continue
        found = Mount(_plain(fields[4]), of_kind[0], _plain(of_kind[1]))
        if _holds(found.point, real) and (best is None or len(found.point) >= len(best.point)):
            best = found
    return best


def _holds(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def _plain(text: str) -> str:
    """A space and the like are written as octal numbers there."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)

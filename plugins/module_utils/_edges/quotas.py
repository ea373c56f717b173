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
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes

WITHIN = 3.0  # seconds; a file server that is down keeps its tool waiting much longer
_COLUMNS = 7  # used, soft limit, hard limit, grace; and of files the first three again


@dataclass(frozen=True)
class Quota:
    """Bytes and files; a limit of 0 is none."""

    used: int
    limit: int
    files: int
    files_limit: int


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


def parse(said: str, name: str) -> Quota | None:
    """What is said of one file system, on one line or, behind a long name, on the next.

    Behind a figure stands * where it is above its limit; it stands in brackets where parts of a
    Lustre did not answer.
    """
    words = said.split()
    if name not in words:
        return None
    begin = words.index(name) + 1
    row = words[begin : begin + _COLUMNS]
    figures = [_number(word) for word in (*row[:3], *row[4:])]
    if len(row) < _COLUMNS or None in figures:
        return None
    used, soft, hard, files, soft_files, hard_files = (each or 0 for each in figures)
    found = Quota(used << 10, (hard or soft) << 10, files, hard_files or soft_files)
    return found if found.limit or found.files_limit else None


def _number(word: str) -> int | None:
    digits = word.strip("[]*")
    return int(digits) if digits.isdecimal() else None


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

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: which generation a Python of the installation belongs to; links are read, no more.

An upgrade turns the link `~/anaconda`. What was started through the link would from then on import
from another generation, so everything that goes on running is started by the generation's own path.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

STORE_MARK = ".hpcc-notebook-store"  # lies beside the generations of an installation
_LINKS = 40  # as many as the kernel follows
_CHECKSUM = re.compile(r"-[0-9a-f]{12}(-\d+)?")


def prefix_of(python: str) -> str:
    """The installation that a `bin/python` lies in; a link where it was named by one."""
    return str(Path(python).parents[1]) if python.count("/") > 1 else ""


def pinned(python: str) -> str:
    """The same Python by the path that no upgrade turns.

    Only the links at the prefix are followed: the home keeps the person's own spelling, and
    `bin/python` of a virtual environment is not the Python that it leads to.
    """
    prefix = Path(prefix_of(python))
    for _step in range(_LINKS):
        if not prefix.is_symlink():
            break
        prefix = Path(os.path.normpath(prefix.parent / os.readlink(prefix)))
    found = prefix / "bin" / Path(python).name
    return str(found) if found.exists() else python


def is_ours(python: str) -> bool:
    """Whether it is of a generation of ours, which is live only when all in it imports."""
    return _in_store(Path(prefix_of(pinned(python))))


def superseded(running: str, installed: str) -> str:
    """What to say of a server that runs from another generation than the one that is installed.

    Both are the paths of Pythons. Empty when they are the same or of different installations.
    """
    mine, now = (Path(prefix_of(pinned(python))) for python in (running, installed))
    if not _same(mine.parent, now.parent) or not _in_store(now):
        return ""
    return supersession(mine.name, now.name)


def supersession(running: str, installed: str) -> str:
    """The same in words, from the names of the generations."""
    if running == installed:
        return ""
    shown = [_CHECKSUM.sub("", name) for name in (running, installed)]
    old, new = shown if shown[0] != shown[1] else (running, installed)
    return f"it runs from {old}, and {new} is installed; restart brings it"


def packages_of(python: str) -> list[str]:
    """Where the packages of a Python lie that is not the one that runs this."""
    return [str(found) for found in Path(prefix_of(python)).glob("lib/python3*/site-packages")]


def _in_store(generation: Path) -> bool:
    return (generation.parent / STORE_MARK).is_symlink()


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False

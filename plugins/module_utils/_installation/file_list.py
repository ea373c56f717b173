# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of the files that are ours in an installation: what is not in it belongs to a person.

Side effects: reads the list, and writes it. The shell worker makes it when an installation is
complete, and a removal goes by it; whoever of us adds files later adds them to the list, too.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Iterable

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError


def find(prefix: str) -> Path | None:
    """The list of the installation that this is; None for a Python that somebody else installed."""
    tree = Path(prefix).resolve()
    found = tree.parent / "markers" / f".files-{tree.name}"
    return found if tree.parent.suffix == ".d" and found.is_file() else None


def missing(prefix: str, paths: Iterable[str]) -> list[str]:
    """Which of these files below the prefix the list lacks; none where there is no list."""
    known = find(prefix)
    wanted = {_line(path): path for path in paths}
    if known is None or not wanted:
        return []
    try:
        with known.open("rb") as lines:
            listed = {line for line in lines if line in wanted}
    except OSError as error:
        raise NotebookError(f"cannot be read: {error.strerror}", str(known)) from error
    return [path for line, path in wanted.items() if line not in listed]


def add(prefix: str, paths: Iterable[str]) -> None:
    """Add these files: the list stays sorted by its bytes, as the shell's `comm` wants it."""
    known = find(prefix)
    if known is None:
        return
    new = known.with_name(f"{known.name}.new")
    try:
        lines = set(known.read_bytes().splitlines(keepends=True))
        new.write_bytes(b"".join(sorted(lines | {_line(path) for path in paths})))
        shutil.copymode(known, new)
        new.replace(known)
    except OSError as error:
        raise NotebookError(f"cannot be written: {error.strerror}", str(known)) from error


def _line(path: str) -> bytes:
    return os.fsencode(f"./{path}\n")

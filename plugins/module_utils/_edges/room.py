# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: whether there is room for something, before any of it is written.

What a file system says is free is asked first, which changes nothing. It knows of no quota: for
that the room is really taken, and given back at once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError

_TODO = "Make room (`du -xhd1` shows where it went), or ask the site for more, and run again"
_TRIAL = ".hpcc-trial-"  # an installation sweeps away what a killed run has left under this name


@dataclass(frozen=True)
class Need:
    """What something takes on a disk."""

    what: str
    mib: int
    inodes: int


def require(path: str, need: Need) -> None:
    """Refuse what does not fit by what the file system says; nothing is written."""
    place = _nearest(path)
    found = os.statvfs(place)
    free = found.f_bavail * found.f_frsize
    if free < need.mib << 20:
        _refuse(
            f"not enough room: {need.mib} MiB are needed, {free >> 10} KiB are free", need, place
        )
    if found.f_files and found.f_favail < need.inodes:  # some file systems count none
        lack = f"{need.inodes} are needed, {found.f_favail} are free"
        _refuse(f"not enough inodes: {lack}", need, place)


def take(path: str, need: Need) -> None:
    """Refuse what does not fit, by taking so much; nothing is left of it."""
    place = _nearest(path)
    trial = Path(place, f"{_TRIAL}{secrets.token_hex(6)}")
    both = f"{need.mib} MiB and {need.inodes} inodes are needed"
    try:
        _fill(trial, need)
    except OSError as error:
        if error.errno == errno.EDQUOT:
            _refuse(f"the quota is exhausted: {both}", need, place)
        if error.errno == errno.ENOSPC:
            _refuse(f"not enough room or inodes: {both}", need, place)
        # Whatever else is wrong there is said of the file that it concerns.
    finally:
        _empty(trial)


def _refuse(lack: str, need: Need, place: str) -> None:
    raise NotebookError(f"{lack}, for {need.what}", place, _TODO)


def _nearest(path: str) -> str:
    """The directory itself, or the one above it in which it is to be made."""
    place = Path(path)
    while not place.is_dir():
        place = place.parent
    return str(place)


def _fill(trial: Path, need: Need) -> None:
    trial.mkdir(mode=0o700)
    (trial / "trial").symlink_to(trial.name)
    with (trial / "space").open("xb", buffering=0) as file:
        for _each in range(need.mib):
            _write(file.fileno(), os.urandom(1 << 20))  # what does not compress
        os.fsync(file.fileno())
    for number in range(need.inodes):
        (trial / str(number)).touch(exist_ok=False)


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _empty(trial: Path) -> None:
    with contextlib.suppress(OSError):
        for path in list(trial.iterdir()):
            path.unlink()
        trial.rmdir()

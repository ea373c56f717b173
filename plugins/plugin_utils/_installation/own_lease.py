# Managed by hpcc.notebook: lies in a generation of the installation; this is its source.
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says that this generation is in use, as long as this process lives. Loaded by each Python of it.

A shared lock on a file beside the generations: whoever can read it can have one, and nobody else
can end it. The file server ends it with the process or with its host. Whoever removes a generation
asks for the lock alone. Without such locks, nothing is said and everything else works.
"""

from __future__ import annotations

import fcntl
import os

LEASE = -1
FILE = (0, 0)


def path() -> str:
    generation = os.path.realpath(__file__).rsplit("/lib/", 1)[0]
    store, _slash, name = generation.rpartition("/")
    return f"{store}/markers/.lease-{name}"


def take() -> None:
    """Of the main process, and of each that it forks: a lock belongs to one process alone."""
    try:
        # Whatever closes all files may have given the number to another one since.
        if _identity(LEASE) == FILE:
            fcntl.lockf(LEASE, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        pass


def _identity(file: int) -> tuple[int, int]:
    found = os.fstat(file)
    return found.st_dev, found.st_ino


try:
    LEASE = os.open(path(), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    FILE = _identity(LEASE)
    take()
    os.register_at_fork(after_in_child=take)
except (OSError, AttributeError):
    pass

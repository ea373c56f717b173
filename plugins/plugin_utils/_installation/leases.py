# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs from a generation, by the leases of its processes; and putting it aside if nobody does.

Runs on the node, alone: `python -I -S -c PROGRAM who LEASE`, which prints who has it, if anybody;
or `… aside LEASE TREE ASIDE MARKER`, which renames the tree unless somebody has its lease. The lock
is held meanwhile, so that nobody begins to run from what goes. The marker goes first: nothing that
is cut off in between may look complete. Of what others say nothing is read,
followed or run: they can have a lock on a file of the owner's, and that is all.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import stat
import struct
import sys

HELD, UNKNOWN, IN_THE_WAY, WITHOUT_LOCKS = 3, 4, 5, 6  # exit codes
_LOCK = "hhqqi4x"  # struct flock of 64-bit Linux
_REFUSED = (errno.EACCES, errno.EAGAIN)


def holder(file: int) -> str:
    """Who has the lease: of several, one. Empty when nobody has it."""
    asked = struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, *_range, pid = struct.unpack(_LOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    if kind == fcntl.F_UNLCK:
        return ""
    try:
        uid = os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116 - this starts for a moment only
    except OSError:  # another host's, or one that is hidden from us
        return "a program of another host, or of somebody whose processes cannot be seen,"
    return f"process {pid} of {name(uid)}"


def name(uid: int) -> str:
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def opened(lease: str, access: int) -> int:
    """Waits for nobody, as a named pipe would make it."""
    file = os.open(lease, access | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OSError(errno.EINVAL, "not a regular file", lease)
    return file


def who(lease: str) -> int:
    file = opened(lease, os.O_RDONLY)
    try:
        found = holder(file)
    except OSError:  # Lustre without `flock`, or a file server whose locks are out of reach
        return WITHOUT_LOCKS
    if found:
        print(found)
    return HELD if found else 0


def aside(lease: str, tree: str, target: str, marker: str) -> int:
    file = opened(lease, os.O_RDWR)  # NFS wants that of whoever wants it alone
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _REFUSED:
            return UNKNOWN
        print(holder(file) or "a program that has just ended")
        return HELD
    try:
        if os.path.lexists(marker):
            os.unlink(marker)  # noqa: PTH108
        os.rename(tree, target)  # noqa: PTH104
    except OSError:
        return IN_THE_WAY
    return 0


def main() -> int:
    task, lease, *more = sys.argv[1:]
    try:
        return who(lease) if task == "who" else aside(lease, *more)
    except OSError:
        return UNKNOWN


if __name__ == "__main__":
    sys.exit(main())

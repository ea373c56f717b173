# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What server and kernels ask of the directory of connection files. Pure: it is only text.

Who can write there is who a kernel obeys: the file names its sockets and the key of its messages.
When the node-local directory was swept from under a living server, anybody can make it again.
Begin a program with it that has imported os and stat; it needs nothing else of ours.
"""

from __future__ import annotations

PRIVATE_DIRECTORY = '''\
def require_private(path):
    """Refuse a directory that others can enter, or in whose place they can put another."""
    shown, me = os.path.abspath(path), os.geteuid()
    real = os.path.realpath(shown)
    trusted = {0, me, os.lstat("/").st_uid}  # some containers show root as nobody
    for each in [*_steps(shown), *_steps(real)]:
        found = os.lstat(each)
        writable = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        if found.st_uid not in trusted or (writable and not stat.S_ISLNK(found.st_mode)):
            raise PermissionError(f"{path}: others can put another directory at {each}")
    _require_closed(path, os.lstat(real))


def hold_private(path):
    """Open a private directory; what is reached through it stays so, whoever remakes its path."""
    require_private(path)
    opened = os.open(os.path.realpath(path), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _require_closed(path, os.fstat(opened))
    except OSError:
        os.close(opened)
        raise
    return opened


def inside(held, name):
    """The path of something in a directory that is held open, in this process and what it forks."""
    return f"/proc/self/fd/{held}/{name}"


def _require_closed(path, found):
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{path}: this directory is not yours alone")



def _steps(path):
    names = path.strip("/").split("/")
    return ["/", *("/" + "/".join(names[: end + 1]) for end in range(len(names)))]
'''

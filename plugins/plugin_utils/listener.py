# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens on a port of this computer, as far as it shows."""

from __future__ import annotations

import contextlib
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils.server.probe import free_port_reason

_PROC = Path("/proc")
_LISTENING = "0A"


def require_free(port: int) -> None:
    """Refuse a port that something else listens on, and name that and another port."""
    reason = free_port_reason(port)
    if reason is None:
        return
    holder = listener(port)
    raise NotebookError(
        f"port {port} of this computer is taken by {holder}" if holder else reason,
        f"127.0.0.1:{port}",
        f"End that, or choose another port: -e nbserver_local_port={_free_after(port)}",
    )


def listener(port: int) -> str:
    """The program that listens, with its pid; or whose it is; or nothing where that is hidden."""
    if not (_PROC / "net").exists():
        return _by_lsof(port)
    found = dict(_listening(port))
    for inode in found:
        for process in _PROC.glob("[0-9]*"):
            if _holds(process, inode):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return next((f"a program of {_user(uid)}" for uid in found.values()), "")


def _listening(port: int) -> Iterator[tuple[str, int]]:
    """The sockets that listen there: inode and owner."""
    for table in ("tcp", "tcp6"):
        for line in _lines(_PROC / "net" / table)[1:]:
            field = line.split()
            if field[3] == _LISTENING and int(field[1].rpartition(":")[2], 16) == port:
                yield field[9], int(field[7])


def _holds(process: Path, inode: str) -> bool:
    with contextlib.suppress(OSError):
        return any(str(fd.readlink()) == f"socket:[{inode}]" for fd in (process / "fd").iterdir())
    return False


def _by_lsof(port: int) -> str:
    program = shutil.which("lsof")
    if not program:
        return ""
    argv = [program, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
    said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
    pids, names = ([line[1:] for line in said if line[:1] == kind] for kind in "pc")
    return f"{names[0]} (pid {pids[0]})" if pids and names else ""


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _free_after(port: int) -> int:
    candidates = range(port + 1, min(port + 200, 65536))
    return next((other for other in candidates if free_port_reason(other) is None), 0)

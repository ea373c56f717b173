# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens on a port of this computer, as far as it shows."""

from __future__ import annotations

import contextlib
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.processes import tcp_listeners
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import free_port_reason

_PROC = Path("/proc")


@dataclass(frozen=True)
class Holder:
    """The process that listens."""

    name: str
    pid: int

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def require_free(port: int) -> None:
    """Refuse a port that something else listens on, and name that and another port."""
    reason = free_port_reason(port)
    if reason is None:
        return
    found, other = holder(port), f"choose another port: -e nbserver_local_port={_free_after(port)}"
    by = listener(port)
    # An ssh may be a login that other work goes through.
    is_login = found is not None and found.name in ("ssh", "autossh", "sshd")
    raise NotebookError(
        f"port {port} of this computer is taken by {by}" if by else reason,
        f"127.0.0.1:{port}",
        f"{other[0].upper()}{other[1:]}" if is_login else f"End that, or {other}",
    )


def listener(port: int) -> str:
    """The program that listens, with its pid; or whose it is; or nothing where that is hidden."""
    found = holder(port)
    if found or not (_PROC / "net").exists():
        return str(found or "")
    return next((f"a program of {_user(uid)}" for _inode, uid in tcp_listeners(port)), "")


def holder(port: int) -> Holder | None:
    """The process that listens, where this user may see it."""
    if not (_PROC / "net").exists():
        return _by_lsof(port)
    for inode, _uid in tcp_listeners(port):
        for process in _PROC.glob("[0-9]*"):
            if _holds(process, inode):
                return Holder((process / "comm").read_text().strip(), int(process.name))
    return None


def _holds(process: Path, inode: str) -> bool:
    with contextlib.suppress(OSError):
        return any(str(fd.readlink()) == f"socket:[{inode}]" for fd in (process / "fd").iterdir())
    return False


def _by_lsof(port: int) -> Holder | None:
    program = shutil.which("lsof")
    if not program:
        return None
    argv = [program, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
    said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
    pids, names = ([line[1:] for line in said if line[:1] == kind] for kind in "pc")
    return Holder(names[0], int(pids[0])) if pids and names else None


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _free_after(port: int) -> int:
    candidates = range(port + 1, min(port + 200, 65536))
    return next((other for other in candidates if free_port_reason(other) is None), 0)

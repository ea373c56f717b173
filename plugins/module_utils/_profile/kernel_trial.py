# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: start the kernel of a profile as its server would, and let it compute 1 + 1.

Runs as a program of its own, `python -I -c SOURCE seconds`, with the variables that the server
gets. Prints why there is no kernel, as JSON. The sum is asked for as an expression beside empty
code, because its answer comes back on the one channel that has to be open anyway.

A killed trial cannot remove its directory. So whoever makes one of that kind removes what is left
of others: what is ours alone, bears our mark, and is locked by nobody.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import importlib
import json
import os
import queue
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator

NAME = "python3"
SHORT = "/tmp"  # noqa: S108 - a socket's path may have 107 bytes; the directory is private and new
LINES = 3  # of what a kernel said last
MARK = ".hpcc.notebook-scratch"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def main() -> None:
    """Prove the kernel; the last line that is printed is the answer."""
    with scratch("kernel-", SHORT) as directory:
        # Where the history of IPython and the sockets of the kernel go, too.
        os.environ["JUPYTER_RUNTIME_DIR"] = directory
        with Path(directory, "log").open("w+b") as log:
            reason = told(directory, float(sys.argv[1]), log)
        sys.stdout.write(json.dumps({"reason": reason}) + "\n")


@contextlib.contextmanager
def scratch(prefix: str, top: str | None = None) -> Iterator[str]:
    """A private directory for a while; what killed runs have left of the kind goes.

    Where others could put theirs in its place, as where somebody has set TMPDIR badly, it is made
    elsewhere: what is tried in it is run.
    """
    directory = tempfile.mkdtemp(prefix=prefix, dir=_place(top or tempfile.gettempdir()))
    handle = os.open(directory, _DIRECTORY)
    try:
        # The kernel frees the lock of whoever is killed. Where there is none, nothing bears a mark.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(directory, MARK).touch(mode=0o600)
            _sweep(Path(directory).parent, prefix)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(handle)


def _place(wanted: str) -> str:
    for place in (os.path.realpath(wanted), os.path.realpath(SHORT)):
        if _stays_in(Path(place)):
            return place
    raise PermissionError(errno.EPERM, "others can rename what you make there", SHORT)


def _stays_in(place: Path) -> bool:
    """Whether nobody else can rename what is made there, or anything that leads there."""
    may_own = {0, os.geteuid(), *_unmapped()}
    for found in (path.stat() for path in (place, *place.parents)):
        others = found.st_mode & (0o002 if found.st_gid == 0 else 0o022)
        if found.st_uid not in may_own or (others and not found.st_mode & stat.S_ISVTX):
            return False
    return True


def _unmapped() -> set[int]:
    """In a container of the person's own, whoever has no number there: root of the host, too."""
    try:
        mapped = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    except OSError:
        return set()
    return set() if mapped == ["0", "0", "4294967295"] else {65534}


def _sweep(top: Path, prefix: str) -> None:
    """Judged and emptied through one descriptor: nobody can put anything else in its place."""
    for path in top.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if path.lstat().st_uid != os.geteuid():
                continue
            handle = os.open(path, _DIRECTORY)
            try:
                if _is_left(handle):
                    _empty(handle)
                    path.rmdir()
            finally:
                os.close(handle)


def _is_left(handle: int) -> bool:
    """Whether it is a directory of ours that nobody uses any more; OSError when it is not."""
    found = os.fstat(handle)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != 0o700:
        return False
    mark = os.stat(MARK, dir_fd=handle, follow_symlinks=False)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return stat.S_ISREG(mark.st_mode)


def _empty(handle: int) -> None:
    """Remove what is in a directory; the mark last of all, so that a cut-off sweep goes on."""
    with os.scandir(handle) as found:
        entries = sorted(found, key=lambda entry: entry.name == MARK)
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.name, dir_fd=handle)
            continue
        inner = os.open(entry.name, _DIRECTORY, dir_fd=handle)
        try:
            _empty(inner)
        finally:
            os.close(inner)
        os.rmdir(entry.name, dir_fd=handle)


def told(directory: str, seconds: float, log: Any) -> str | None:
    """Why there is no kernel, with what it said before its end."""
    try:
        reason = failure(directory, seconds, log)
    except Exception as error:  # jupyter_client has many for a kernel that cannot start
        reason = f"{type(error).__name__}: {error}"
    log.seek(0)
    return reason and last_words(reason, log.read()[-20000:].decode("utf-8", "replace"))


def failure(directory: str, seconds: float, log: Any) -> str | None:
    """Why the kernel does not compute; None when it does."""
    manager = importlib.import_module("jupyter_client.manager").KernelManager(
        kernel_name=NAME, transport="ipc", connection_file=f"{directory}/kernel.json"
    )
    manager.start_kernel(stdout=log, stderr=log)
    client = manager.blocking_client()
    try:
        client.start_channels(iopub=False, stdin=False, hb=False)
        client.execute("", silent=True, store_history=False, user_expressions={"sum": "1 + 1"})
        return answer(manager, client, time.monotonic() + seconds)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def answer(manager: Any, client: Any, deadline: float) -> str | None:
    """Wait for the sum, as long as there is somebody to compute it."""
    while time.monotonic() < deadline:
        try:
            return wrong(client.get_shell_msg(timeout=0.1)["content"])
        except queue.Empty:
            if not manager.is_alive():
                return "it ended before it computed anything"
    return "it did not compute 1 + 1 in time"


def wrong(content: dict[str, Any]) -> str | None:
    """What is wrong with the kernel's reply."""
    found = content.get("user_expressions", {}).get("sum", {})
    if found.get("data", {}).get("text/plain") == "2":
        return None
    return f"it computed 1 + 1 as {found or content}"


def last_words(reason: str, said: str) -> str:
    """The reason, and what the kernel printed before; of a traceback the error only."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and line[0] not in " \t"]
    lines = [line for line in lines if not line.startswith("Traceback ")]
    return " | ".join([" ".join(reason.split()), *lines[-LINES:]])


if __name__ == "__main__":
    main()

"""What is left of a cluster whose notebook and keeper were both killed: ended and removed later.

The keeper holds a lock on a file in the cluster's directory as long as it lives. Whoever begins the
next cluster on the same node sees by the free lock that nobody looks after the old one any more.
What belongs to another node is never judged: across a file system of the network a lock may mean
nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster_helper import workspace
from cluster_helper.commands import Commands
from cluster_helper.errors import ClusterError
from cluster_helper.local import LOCAL
from cluster_helper.schedulers import named
from cluster_helper.schedulers.dialect import ENDED

_FILE = "owner.json"
_ABANDONED = 24 * 3600  # seconds; a directory of this age without an owner will get none


@dataclass(frozen=True)
class Owner:
    """Who looks after a cluster, and what has to be ended when nobody does."""

    host: str
    scheduler: str = LOCAL
    job: str | None = None


class Lock:
    """Held by the keeper until it ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self.file = os.open(directory / _FILE, flags, 0o600)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self.file, fcntl.LOCK_EX)
        self.record(LOCAL, None)

    def record(self, scheduler: str, job: str | None) -> None:
        text = json.dumps(asdict(Owner(os.uname().nodename, scheduler, job)))
        os.ftruncate(self.file, 0)
        os.pwrite(self.file, text.encode(), 0)


def sweep() -> Iterator[str]:
    """End and remove what nobody looks after; one line for each."""
    for directory in sorted(workspace.above().glob("*")):
        owner = _former_owner(directory)
        if owner is not None:
            yield _end(directory, owner)


def _former_owner(directory: Path) -> Owner | None:
    """None while somebody looks after it, or may."""
    path = directory / _FILE
    try:
        owner = Owner(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return _of_old(directory)
    return owner if owner.host == os.uname().nodename and _is_free(path) else None


def _is_free(path: Path) -> bool:
    """A file system without locks makes nothing free."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _of_old(directory: Path) -> Owner | None:
    """One that was interrupted before its keeper began."""
    try:
        age = time.time() - directory.stat().st_mtime
    except OSError:
        return None
    return Owner(host="") if age > _ABANDONED else None


def _end(directory: Path, owner: Owner) -> str:
    what = f"job {owner.job}" if owner.job else "its files"
    try:
        _cancel(owner)
    except ClusterError as error:
        return f"An interrupted cluster is still there ({what}): {error}."
    workspace.remove(directory)
    return f"Removed what an interrupted cluster had left ({what})."


def _cancel(owner: Owner) -> None:
    """One that has ended by itself may be refused; then it is asked for."""
    if owner.scheduler == LOCAL or owner.job is None:
        return
    commands = Commands(named(owner.scheduler))
    try:
        commands.cancel(owner.job)
    except ClusterError:
        if any(task.state != ENDED for task in commands.tasks(owner.job)):
            raise

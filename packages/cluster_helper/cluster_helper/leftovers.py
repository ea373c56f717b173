"""What is left when notebook and supervisor were both killed: it is ended and removed later.

Every directory of a cluster has an identity, a file made with it that names the directory. What has
none, or another's, was put there by a person, and is neither followed nor removed.

The supervisor holds a lock on that file as long as it lives. Whoever begins the next cluster on the
same node sees by the free lock that nobody looks after the old one any more. What belongs to
another node is never judged: across a file system of the network a lock may mean nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cluster_helper import workspace
from cluster_helper.commands import Commands
from cluster_helper.errors import ClusterError
from cluster_helper.local import LOCAL
from cluster_helper.schedulers import named
from cluster_helper.workspace import IDENTITY, Owner

_LENGTH = 1024  # bytes of an identity at the least
_ABANDONED = 24 * 3600  # seconds; a directory of this age that nobody looks after yet never will be


class Lock:
    """Held by the supervisor until it ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        self.owner = Owner(directory.name, os.uname().nodename)
        self.file = os.open(directory / IDENTITY, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self.file, fcntl.LOCK_EX)
        self.record(LOCAL, None)

    def record(self, scheduler: str, job: str | None) -> None:
        text = json.dumps(asdict(replace(self.owner, scheduler=scheduler, job=job)))
        # Of one length: without an end cut off there is no moment without an identity.
        os.pwrite(self.file, text.ljust(_LENGTH).encode(), 0)


@dataclass(frozen=True)
class _Found:
    """The identity of a directory, and whether somebody holds its lock."""

    owner: Owner
    locked: bool
    age: float


def sweep() -> Iterator[str]:
    """End and remove what nobody looks after; one line for each."""
    place = workspace.above()
    if not _is_our_directory(place):
        return
    for directory in sorted(place.iterdir()):
        found = _identity(directory) if _is_our_directory(directory) else None
        if found is not None and _is_abandoned(found):
            yield _end(directory, found.owner)


def _is_our_directory(path: Path) -> bool:
    """Itself, not through a link."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def _identity(directory: Path) -> _Found | None:
    """None for what was not made by us, at this very place."""
    try:
        # A fifo must not make us wait, and a link must not lead us away.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(directory / IDENTITY, flags)
    except OSError:
        return None
    try:
        return _read(directory, file)
    finally:
        os.close(file)


def _read(directory: Path, file: int) -> _Found | None:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
        return None
    try:
        owner = Owner(**json.loads(os.read(file, 4 * _LENGTH)))
    except (OSError, ValueError, TypeError):
        return None
    if owner.cluster != directory.name or not isinstance(owner.job, (str, type(None))):
        return None
    return _Found(owner, not _is_free(file), time.time() - directory.stat().st_mtime)


def _is_free(file: int) -> bool:
    """A file system without locks makes nothing free."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_abandoned(found: _Found) -> bool:
    """A cluster has no host before its supervisor begins; one interrupted then stays so."""
    if not found.owner.host:
        return found.age > _ABANDONED
    return found.owner.host == os.uname().nodename and not found.locked


def _end(directory: Path, owner: Owner) -> str:
    what = f"job {owner.job}" if owner.job else "its files"
    try:
        _cancel(owner)
    except ClusterError as error:
        return f"An interrupted cluster is still there ({what}): {error}."
    workspace.remove(directory)
    return f"Removed what an interrupted cluster had left ({what})."


def _cancel(owner: Owner) -> None:
    if owner.scheduler != LOCAL and owner.job is not None:
        Commands(named(owner.scheduler)).cancel(owner.job)

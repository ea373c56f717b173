"""File systems over a directory of a container: the images have no program for that.

mounts.py PID CALL…: a process in the container, and each call as SOURCE,TARGET,TYPE,FLAGS,DATA;
a target alone is unmounted. It enters the container's mount namespace, so it needs root here.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_NAMESPACE = 0x00020000  # CLONE_NEWNS
FLAGS = {"": 0, "bind": 4096, "rbind": 4096 | 16384, "ro": 32 | 4096 | 1, "noexec": 32 | 4096 | 8}
_REMOUNTS = ("ro", "noexec")
_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(code: int, what: str) -> None:
    if code:
        number = ctypes.get_errno()
        raise SystemExit(f"{what}: {os.strerror(number)}")


def _bytes(text: str) -> bytes | None:
    return text.encode() or None


def mount(call: str) -> None:
    """One call; a target alone ends what was mounted there last."""
    if "," not in call:
        _checked(_libc.umount2(call.encode(), _DETACH), f"unmounting {call}")
        return
    source, target, kind, flags, data = call.split(",", 4)
    words = (source or "none", target, kind)
    done = _libc.mount(*map(_bytes, words), FLAGS[flags], _bytes(data))
    _checked(done, f"mounting {target}")


def undone(calls: Sequence[str]) -> list[str]:
    """The calls that take these back; a remount put nothing on top."""
    parts = [call.split(",", 4) for call in reversed(calls)]
    return [target for _source, target, _kind, flags, _data in parts if flags not in _REMOUNTS]


def main() -> None:
    with Path(f"/proc/{sys.argv[1]}/ns/mnt").open("rb") as namespace:
        _checked(_libc.setns(namespace.fileno(), _NAMESPACE), "entering the container")
    for call in sys.argv[2:]:
        mount(call)


if __name__ == "__main__":
    main()

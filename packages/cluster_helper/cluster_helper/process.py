"""Small questions to Linux about processes."""

from __future__ import annotations

import ctypes
import os
import signal

import psutil

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask the kernel for a signal when our parent is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)


def kill_descendants() -> None:
    """Every process that came from this one and still belongs to it."""
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def kill_group(leader: int) -> None:
    """Every process of a group, the leader gone or not."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return

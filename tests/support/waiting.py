"""Waiting for what becomes true by itself, and saying what did not."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 120  # seconds; only ever waited for on a machine that is overloaded


def eventually(question: Callable[[], object], what: str) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < deadline, f"{what} did not become true in {PATIENCE} s"
        time.sleep(0.1)


def nothing_left(look: Callable[[], object], what: str) -> None:
    """Wait until there is none any more; otherwise say what is left."""
    deadline = time.monotonic() + PATIENCE
    while left := look():
        assert time.monotonic() < deadline, f"{what} left after {PATIENCE} s: {left}"
        time.sleep(0.2)

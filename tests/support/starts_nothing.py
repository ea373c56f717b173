"""Refuse what starts something, in tests that are called pure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

EVENTS = frozenset(
    ["subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec",
     "socket.bind", "socket.connect"]
)  # fmt: skip


class Watch:
    """Hears what the interpreter reports. Other threads are left by the other tests of a worker."""

    def __init__(self) -> None:
        self._watched: int | None = None

    @contextmanager
    def this_thread(self) -> Iterator[None]:
        self._watched = threading.get_ident()
        try:
            yield
        finally:
            self._watched = None

    def hear(self, event: str, _arguments: object) -> None:
        if event in EVENTS and threading.get_ident() == self._watched:
            self._watched = None  # what reports the failure may do what it likes
            raise AssertionError(f"{event} in a test that starts nothing")

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows how far a worker has come: a bar on a terminal, otherwise a line every few seconds.

On standard error, as curl does: never held back in a buffer, never in the way of a callback's JSON.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.hpcc.notebook.plugins.module_utils._installation import progress
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.interruptions import (
    Before,
    handled,
)

ON_TERMINAL = os.isatty(2)  # on import, in ansible's main process: a task has no terminal any more
_LAST_WORDS = (
    "interrupted here. An installation that has begun goes on on the host, and what is live stays "
    "as it is; run again to join it"
)
_EVERY = 10.0
_STILL_EVERY = 300.0


class Reporter:
    """Remembers what it said last."""

    def __init__(self, host: str, alone: bool) -> None:
        self._host = host
        self._bar = ON_TERMINAL and alone
        self._phase = ""
        self._said = 0.0

    def say(self, text: str) -> None:
        """A line of its own."""
        self._end()
        terminal.say(f"{self._host}: {text}", stderr=True)

    def show(self, now: progress.Progress | None) -> None:
        """Where the worker is."""
        if now is None:
            return
        if self._bar:
            terminal.draw(progress.drawn(now, terminal.columns()))
        elif now.phase != self._phase or time.monotonic() - self._said > _EVERY:
            self.say(progress.line(now))
            self._said = time.monotonic()
        self._phase = now.phase

    def status(self, text: str) -> None:
        """What is waited for: when it changes, and now and then that it is still so."""
        if text != self._phase or time.monotonic() - self._said > _STILL_EVERY:
            self.say(text)
            self._phase, self._said = text, time.monotonic()

    @contextmanager
    def watching(self, last_words: str = _LAST_WORDS) -> Iterator[None]:
        """While something may go on on the cluster: Ctrl-C says what becomes of it."""

        def interrupted(number: int, before: Before) -> None:
            terminal.last_words(f"{self._host}: {last_words}.")
            signal.signal(number, before[number])
            signal.raise_signal(number)

        try:
            with handled(interrupted):
                yield
        finally:
            self._end()

    def _end(self) -> None:
        """Leave the terminal at the beginning of an empty line."""
        if self._bar and self._phase:
            terminal.clear()

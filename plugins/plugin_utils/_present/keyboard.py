# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the keys of the person's terminal, read by a task while it stays.

Ctrl-C would interrupt Ansible, which calls that an error. So the terminal is told to make no
signals of keys, and what they mean is done here. Only while Ansible is in the foreground: the
terminal belongs to the shell otherwise, and so does what is typed there.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal

_LOOK = 0.2  # seconds between two looks at whether the keys are still ours to read
_WAIT = 1.0  # the same, while they are not
_LOCAL, _KEYS = 3, 6  # where termios keeps the local modes and the special keys
_SIGNALS = {termios.VSUSP: signal.SIGTSTP, termios.VQUIT: signal.SIGQUIT}


@contextmanager
def watched(interrupted: Callable[[], None], asking: Callable[[], bool]) -> Iterator[None]:
    """Call a function at Ctrl-C. While a question waits, the keys belong to Ansible's prompt."""
    if terminal.KEYBOARD is None:
        yield
        return
    watch = _Watch(terminal.KEYBOARD, terminal.ANSIBLE, asking)
    thread = threading.Thread(target=watch.run, args=[interrupted], daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.over.set()
        thread.join()


def in_foreground(pid: int) -> bool:
    """Whether the terminal belongs to this process; no where nobody can tell."""
    command = ["ps", "-o", "pgid=", "-o", "tpgid=", "-p", str(pid)]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return False
    numbers = said.stdout.split()
    return len(numbers) == 2 and numbers[0] == numbers[1]


@dataclass
class _Watch:
    """One terminal, and the process of Ansible that a person has started from it."""

    keyboard: int
    ansible: int
    asking: Callable[[], bool]
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, interrupted: Callable[[], None]) -> None:
        """Until it is over, or Ctrl-C, or the terminal is gone."""
        with suppress(OSError, termios.error):
            while not self.over.is_set():
                if self.asking() or not in_foreground(self.ansible):
                    self.over.wait(_WAIT)
                    continue
                pressed = self._pressed(termios.tcgetattr(self.keyboard))
                if pressed == termios.VINTR:
                    interrupted()
                    return
                self._tell_all(pressed)

    def _pressed(self, before: list[Any]) -> int | None:
        """The next key that means something; None when the keys are somebody else's now."""
        meanings = {before[_KEYS][key]: key for key in (termios.VINTR, *_SIGNALS)}
        try:
            while not self.over.is_set() and self._is_quiet():
                key = self._key()
                if key in meanings:
                    return meanings[key]
            return None
        finally:
            if in_foreground(self.ansible):
                termios.tcsetattr(self.keyboard, termios.TCSADRAIN, before)

    def _is_quiet(self) -> bool:
        """Have no signals made of keys. A prompt, or `fg`, may have set what was there before."""
        now = termios.tcgetattr(self.keyboard)
        if self.asking() or not now[_LOCAL] & termios.ISIG:
            return True
        if not in_foreground(self.ansible):
            return False
        now[_LOCAL] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
        now[_KEYS][termios.VMIN], now[_KEYS][termios.VTIME] = 1, 0
        termios.tcsetattr(self.keyboard, termios.TCSADRAIN, now)
        return True

    def _key(self) -> bytes:
        """One key, unless none comes, or it belongs to somebody else."""
        ready, _writable, _odd = select.select([self.keyboard], [], [], _LOOK)
        if not ready or self.asking() or not in_foreground(self.ansible):
            self.over.wait(_LOOK if ready else 0)
            return b""
        key = os.read(self.keyboard, 1)
        if not key:
            raise OSError("the terminal is gone")
        return key

    def _tell_all(self, key: int | None) -> None:
        """What the terminal would have done: a signal for all that was started together."""
        if key in _SIGNALS:
            os.killpg(os.getpgid(self.ansible), _SIGNALS[key])
            self.over.wait(_WAIT)  # the shell takes its terminal back

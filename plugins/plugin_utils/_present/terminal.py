# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The person's terminal. Nothing else here speaks to it, so that nothing there obeys a host."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ansible.utils.display import Display
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import output
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed

_DISPLAY = Display()
_LOOK = 1.0  # seconds between two looks at whether Ansible lives while a question waits
# On import, in Ansible's main process: the process of a task has no terminal any more, and when
# Ctrl-C ends it nobody reads what it says through Ansible.
ANSIBLE = os.getpid()
_STANDARD_ERROR = os.dup(2)
KEYBOARD = next((os.dup(number) for number in (0, 2, 1) if os.isatty(number)), None)
output.outlive_readers()


def ansible_lives() -> bool:
    """Whether Ansible's main process does. It may have ended with the terminal's window.

    It is known from before this process began: a parent that is asked for later may be another one.
    What is said to nobody fills a queue of some 64 KiB, and waits without end.
    """
    return ANSIBLE in (os.getpid(), os.getppid())


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the line is out.

    The process of a task speaks through a queue of Ansible's main process. One that ends in the
    middle keeps the queue's lock, and Ansible would wait for that without end. It has one thread.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _show(shown: Callable[..., None], text: str, **how: bool) -> None:
    if ansible_lives():
        with _uninterrupted():
            shown(text, **how)


def say(*lines: object, stderr: bool = False) -> None:
    """Print lines; no other host's get between them."""
    if lines:
        text = "\n".join(printable(typed(str(line))) for line in lines)
        _show(_DISPLAY.display, text, stderr=stderr)


def warn(text: object) -> None:
    """Print a warning as Ansible does."""
    _show(_DISPLAY.warning, printable(typed(str(text))))


def last_words(line: object) -> None:
    """Print one line although Ansible has stopped to listen."""
    output.past_ansible(_STANDARD_ERROR, f"\n{printable(typed(str(line)))}\n")


def draw(text: object) -> None:
    """Write over the line that the cursor is in, on standard error."""
    line = f"\r{printable(text)}"
    _show(_DISPLAY.display, line, stderr=True, screen_only=True, newline=False)


def clear() -> None:
    """Leave that line empty, with the cursor at its beginning."""
    draw(" " * (columns() - 1))
    draw("")


def columns() -> int:
    """How wide the terminal is."""
    return int(_DISPLAY.columns)


def ask(question: str, *, private: bool = False) -> bytes:
    """Read one line; raises what Ansible's prompt raises where nobody can answer."""
    shown = "\n".join(map(printable, question.splitlines()))
    with _ending_with_ansible():
        return bytes(_DISPLAY.prompt_until(shown, private=private))


@contextmanager
def _ending_with_ansible() -> Iterator[None]:
    """End as Ansible would have it: nobody passes on the answer of somebody who is gone."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK):
            if not ansible_lives():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an action on this computer reaches hosts of the inventory by ssh, and ends it all again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import SSH
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import keyboard
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.interruptions import (
    Before,
    handled,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.person import Person
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.askpass import (
    Askpass,
    private_directory,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import Session


class Closing(BaseException):
    """The person has pressed Ctrl-C, or Ansible ends."""


@dataclass
class Reach:
    """Sessions that ask this person, and that end with this."""

    directory: Path
    person: Person
    askpass: Askpass
    closing: threading.Event
    sessions: list[Session] = field(default_factory=list)

    def session(self, words: Sequence[str], program: str = SSH, standing: str = "") -> Session:
        """A login that is not made yet, or the one of Ansible that stands at that socket."""
        control = self.directory / f"way{len(self.sessions)}"
        environment = self.askpass.environment()
        person = self.person
        made = Session(words, control, environment, person.tell, person.busy, program, standing)
        self.sessions.append(made)
        return made


@contextmanager
def reach() -> Iterator[Reach]:
    """Sessions for a while; no ssh is left afterwards, whatever happens."""
    closing = threading.Event()
    # The directory is the inner one: no second signal may interrupt its removal.
    with (
        _closing(closing),
        private_directory() as name,
    ):
        person = Person()
        askpass = Askpass(Path(name), person.ask)
        reached = Reach(Path(name), person, askpass, closing)
        try:
            yield reached
        finally:
            for session in reached.sessions:
                session.close()
            askpass.close()


@contextmanager
def until_ctrl_c(reached: Reach, last: str) -> Iterator[None]:
    """Stay; a person who presses Ctrl-C reads one line, and Ansible goes on with what follows."""
    pressed = threading.Event()
    itself = threading.main_thread().ident or 0

    def close() -> None:
        pressed.set()
        signal.pthread_kill(itself, signal.SIGINT)  # whatever it is doing or waiting for

    try:
        with keyboard.watched(close, reached.person.busy):
            yield
    except Closing:
        if not pressed.is_set():
            raise
        reached.person.tell(last)


def _closing(closing: threading.Event) -> AbstractContextManager[None]:
    """Have Ctrl-C raised as Closing."""

    def close(_number: int, before: Before) -> None:
        for number in before:  # Ansible sends one after the other; what closes is not interrupted
            signal.signal(number, signal.SIG_IGN)
        closing.set()  # an exception may be lost where Python ignores them
        raise Closing

    return handled(close)

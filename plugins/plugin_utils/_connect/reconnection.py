# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a connection until it is told to stop: notices when it is lost, and opens it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.connection import (
    Connection,
    Lost,
)

BEAT = 1.0  # seconds between two looks at ssh, which cost nothing
ASK_EVERY = 15  # beats between two handshakes with the server
SLEPT = 20.0  # seconds that a beat may last, before this computer must have slept


@dataclass(frozen=True)
class Reconnector:
    """What is kept, and how the person is told."""

    connection: Connection
    tell: Callable[[str], None]
    wanted: Callable[[], bool]  # whether anybody still wants it
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time  # the wall clock, which goes on while a computer sleeps

    def keep(self) -> None:
        """Return when it is not wanted any more."""
        while (reason := self._lost()) is not None:
            self.tell(f"{self._clock()} The connection was lost ({reason}).")
            self.connection.session.close()
            if not self._open_again():
                return

    def _lost(self) -> str | None:
        """Watch until the connection is lost (why), or not wanted any more (None)."""
        beats, before = 0, self.now()
        while self.wanted():
            self.sleep(BEAT)
            beats, slept = beats + 1, self.now() - before > SLEPT
            before = self.now()
            ssh_ended = not self.connection.session.alive()
            if ssh_ended or slept or beats % ASK_EVERY == 0:
                reason = self.connection.why_dead()
                if reason:
                    return f"this computer slept; {reason}" if slept else reason
        return None

    def _open_again(self) -> bool:
        """Try until it works; only what cannot pass by itself is raised."""
        lost_at, said = self.now(), ""
        for delay in delays():
            self.tell(f"{self._clock()} Trying again in {delay:g} s.")
            self.sleep(delay)
            if not self.wanted():
                return False
            try:
                server = self.connection.open()
            except Lost as lost:
                self.connection.session.close()
                if not lost.fault.passing:
                    raise
                if str(lost) != said:
                    self.tell(f"{self._clock()} {lost}")
                said = str(lost)
            else:
                self._say_connected(server, self.now() - lost_at)
                return True
        return False

    def _say_connected(self, server: dict[str, Any], seconds: float) -> None:
        address = f"https://127.0.0.1:{self.connection.local_port}"
        self.tell(f"{self._clock()} Connected again after {seconds:.0f} s: {address}")
        if server.get("version"):
            self.tell(f"    {server['version']} on {server['host']}, certificate checked again.")

    def _clock(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.now()))


def delays() -> Iterator[float]:
    """Seconds to wait before each try: soon at first, then once a minute."""
    return chain((1, 2, 5, 10, 20, 30), repeat(60))

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh asks is asked on the person's terminal, although ssh runs without one.

Ansible takes the terminal away from its workers. ssh then runs the program in SSH_ASKPASS for
each question; ours hands it to this process, which asks through Ansible. Answers stay in memory.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ansible_collections.hpcc.notebook.plugins.module_utils._profile.scratch import scratch

# The program that ssh runs: it hands the question over and prints the answer.
_PROGRAM = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as way:
    way.connect(os.environ["NBSERVER_ASKPASS"])
    kind = os.environ.get("SSH_ASKPASS_PROMPT", "")
    way.sendall(json.dumps([sys.argv[1] if len(sys.argv) > 1 else "", kind]).encode())
    way.shutdown(socket.SHUT_WR)
    answer = json.loads(b"".join(iter(lambda: way.recv(65536), b"")) or b"null")
if answer is None:
    sys.exit(1)
print(answer)
"""


def private_directory() -> AbstractContextManager[str]:
    """One for a while, whose path is short: that of a socket may have 104 bytes."""
    return scratch("nbserver-", "/tmp" if os.access("/tmp", os.W_OK) else None)  # noqa: S108


class Asker(Protocol):
    """Answers a question of ssh; None refuses an answer."""

    def __call__(self, question: str, kind: str) -> str | None: ...


class Askpass:
    """Listens for the questions of every ssh that runs with this environment."""

    def __init__(self, directory: Path, ask: Asker) -> None:
        self._ask = ask
        self._path = directory / "ask"
        program = directory / "askpass"
        client = directory / "askpass.py"
        client.write_text(_PROGRAM, encoding="utf-8")
        # A shell, because the path of Python may be too long for a first line.
        line = f'exec {shlex.quote(sys.executable)} -I {shlex.quote(str(client))} "$@"\n'
        program.write_text(f"#!/bin/sh\n{line}", encoding="utf-8")
        program.chmod(0o700)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        self._program = str(program)
        threading.Thread(target=self._serve, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """The person's own environment, and where ssh finds the program."""
        ours = {
            "SSH_ASKPASS": self._program,
            "SSH_ASKPASS_REQUIRE": "force",
            "NBSERVER_ASKPASS": str(self._path),
        }
        # Before OpenSSH 8.4, the program is asked only where there is a display and no terminal.
        return {"DISPLAY": ":0", **os.environ, **ours}

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                way, _address = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._answer, args=(way,), daemon=True).start()

    def _answer(self, way: socket.socket) -> None:
        with way:
            received = b"".join(iter(lambda: way.recv(65536), b""))
            question, kind = json.loads(received)
            way.sendall(json.dumps(self._ask(question, kind)).encode())


Tell = Callable[[str], None]

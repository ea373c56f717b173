# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login to a node by the person's own ssh, shared by all that is asked and forwarded there.

It is a master connection with a socket of its own. Where the person has opened one already,
that is used instead, and left as it was.
"""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError

LOGIN_WITHIN = 60.0  # seconds in which ssh neither logs in nor asks
CONTROL_WITHIN = 10.0  # seconds for a word with the master, which lies on this computer
# -a -x -T: nothing of this computer is offered there. A lost network is noticed after 45 seconds.
_OPTIONS = """
    -a -x -T -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=3
    -o StrictHostKeyChecking=ask -o PermitLocalCommand=no
"""
# -v: its notes tell why a login or a forwarding failed; they are read here and not shown.
_MASTER = "-v -M -N -o ControlPersist=no -o ClearAllForwardings=yes"
_CLIENT = "-T -o ControlMaster=no -o BatchMode=yes -o ClearAllForwardings=yes"
_NOTE = re.compile(
    r"debug\d: |OpenSSH_\d|Authenticated to |Transferred: |Bytes per second: |Killed by signal |$"
)


class NotConnected(Exception):  # noqa: N818 - reads as what happened
    """There is no login; the text is all that ssh said."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended, and what it said."""

    code: int
    stdout: str
    stderr: str


class Session:
    """A login that lasts from `open` to `close`."""

    def __init__(
        self,
        words: Sequence[str],
        control: Path,
        environment: Mapping[str, str],
        tell: Callable[[str], None],
        asking: Callable[[], bool] = lambda: False,
    ) -> None:
        self._words = list(words)
        self._control_path = control
        self._environment = dict(environment)
        self._tell = tell
        self._asking = asking
        self._master: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._log: deque[str] = deque(maxlen=500)
        self._forwards: list[str] = []

    @property
    def log(self) -> str:
        """The last that ssh said, with its own notes on what it did."""
        return "\n".join(self._log)

    def open(self) -> None:
        """Log in; NotConnected says why that was not possible."""
        self._log.clear()
        if self._control("check").code == 0:
            return  # the person has done so, and knows when to end it
        argv = [
            "ssh",
            *_MASTER.split(),
            "-S",
            str(self._control_path),
            *_OPTIONS.split(),
            *self._words,
        ]
        self._master = subprocess.Popen(
            argv, env=self._environment, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._listen, args=(self._master,), daemon=True)
        self._reader.start()
        try:
            self._wait_for_login(self._master)
        except BaseException:
            self.close()
            raise

    def alive(self) -> bool:
        """Whether the login still stands, as far as this computer can know."""
        if self._master:
            return self._master.poll() is None
        return self._control("check").code == 0

    def run(self, program: str, timeout: float) -> Ended:
        """Run a shell program on the node, over standard input, so that no argument shows it."""
        argv = ["ssh", *self._at(), *_CLIENT.split(), *self._words, "sh -s"]
        return self._ended(argv, program, timeout)

    def forward(self, local: str, target: str) -> Ended:
        """Listen on this computer for what is on the node."""
        asked = self._control("forward", "-L", f"{local}:{target}")
        if asked.code == 0:
            self._forwards.append(f"{local}:{target}")
        return asked

    def leads_to(self, target: str, wait: float, greeting: bytes = b"") -> bool:
        """Whether the node leads a connection on to a target of its own that listens.

        Where it does not, it closes the connection at once. Many targets speak only when they are
        greeted in their own way, so silence is an answer, too, after a while that has to be longer
        than a round trip.
        """
        port = _free_port()
        local = f"127.0.0.1:{port}"
        if self.forward(local, target).code:
            return False
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
                connection.sendall(greeting)
                return bool(connection.recv(1))
        except TimeoutError:
            return True
        except OSError:
            return False
        finally:
            self._control("cancel", "-L", f"{local}:{target}")
            self._forwards.remove(f"{local}:{target}")

    def cancel_forwards(self) -> None:
        """Stop listening. A master that outlives us would keep what it forwards."""
        while self._forwards:
            self._control("cancel", "-L", self._forwards.pop())

    def close(self) -> None:
        """End everything of ours, and nothing of the person's."""
        if self._master is None:
            self.cancel_forwards()
            return
        self._end(self._master)
        self._master = None
        self._forwards.clear()
        self._control_path.unlink(missing_ok=True)

    def _end(self, master: subprocess.Popen[str]) -> None:
        master.terminate()
        try:
            master.wait(timeout=5)
        except subprocess.TimeoutExpired:
            master.kill()
            master.wait()
        if self._reader:
            self._reader.join(timeout=2)

    def _at(self) -> list[str]:
        return ["-S", str(self._control_path)] if self._master else []

    def _control(self, command: str, *more: str) -> Ended:
        argv = ["ssh", *self._at(), "-O", command, *more, *self._words]
        return self._ended(argv, "", CONTROL_WITHIN)

    def _ended(self, argv: list[str], program: str, timeout: float) -> Ended:
        try:
            done = subprocess.run(
                argv, env=self._environment, input=program.encode(), capture_output=True,
                check=False, timeout=timeout,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise NotebookError("no such program", "ssh", "Install OpenSSH.") from error
        except subprocess.TimeoutExpired:
            return Ended(124, "", f"no answer within {timeout:g} seconds")
        # Not as text: Python would take a carriage return for the end of a line.
        said = [stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr)]
        return Ended(done.returncode, *said)

    def _listen(self, master: subprocess.Popen[str]) -> None:
        for line in master.stderr or []:
            text = line.rstrip("\r\n")
            self._log.append(text)
            if not _NOTE.match(text):
                self._tell(text)  # warnings and banners are the person's to read

    def _wait_for_login(self, master: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + LOGIN_WITHIN
        while not self._control_path.exists():
            if self._asking():
                deadline = time.monotonic() + LOGIN_WITHIN
            if master.poll() is not None or time.monotonic() > deadline:
                self._end(master)
                raise NotConnected(self.log)
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])

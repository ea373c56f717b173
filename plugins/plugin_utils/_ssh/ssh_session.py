# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login to a node by the person's own ssh, shared by all that is asked and forwarded there.

It is a master connection with a socket of its own. Where the person or Ansible has opened one
already, that is used instead, and left as it was. The person's configuration leads there; what
else it wants of a login (forwardings, a command, a terminal) is meant for other logins and has no
part in this one. So whatever goes through the master reads no configuration at all.
"""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import config as ssh_config
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import (
    NO_OTHER_COMMAND,
    SSH,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import own_ssh
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.borrowed_login import BorrowedLogin
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.running import (
    end,
    printed_behind,
    running,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_log import SshLog, real_ssh

LOGIN_WITHIN = 60.0  # seconds in which ssh neither logs in nor asks
_LOOK = 0.01  # seconds between two looks at whether it has
CONTROL_WITHIN = 10.0  # seconds for a word with the master, which lies on this computer
# -a -x -T: nothing of this computer is offered there. A lost network is noticed after 45 seconds.
_OPTIONS = """
    -a -x -T -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=3
    -o StrictHostKeyChecking=ask -o PermitLocalCommand=no -o Tunnel=no
    -o BatchMode=no
"""
# INFO tells why a login or a forwarding failed; more (-v) would have servers write there, too.
_MASTER = "-M -N -o LogLevel=INFO -o ControlPersist=no -o ClearAllForwardings=yes"
# Through a master, and only so: without it, there is no connection to wherever the name may lead.
_CLIENT = "-T -o BatchMode=yes -o ProxyCommand=false"
_NAME = "node"  # ssh wants one, and does not look at it
# What would keep the master from being one, where this ssh knows of it.
_NOT_OURS = {
    "remotecommand": NO_OTHER_COMMAND,
    "forkafterauthentication": "ForkAfterAuthentication=no",
}
_NOTE = re.compile(r"Killed by signal |channel \d+: open failed|$")


class NotConnected(Exception):  # noqa: N818 - reads as what happened
    """There is no login; the text is all that ssh said."""


class NotForwarded(Exception):  # noqa: N818 - reads as what happened
    """ssh did not listen on this computer; the text is its reason."""


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
        program: str = SSH,
        standing: str = "",
    ) -> None:
        self.words = list(words)
        self.program = program
        self._control_path = control
        self._environment = dict(environment)
        self._tell = tell
        self._asking = asking
        self._master: subprocess.Popen[str] | None = None
        self._borrowed: BorrowedLogin | None = None
        self._standing = standing  # the socket of Ansible's login to the same host, if there is one
        self._reader: threading.Thread | None = None
        self._log = SshLog(control.with_name(f"{control.name}.log"), self._heard, program)
        self._forwards: list[str] = []
        self._probes = count()

    @property
    def log(self) -> str:
        """The last that ssh itself said; nothing that a server had it print."""
        return self._log.text

    @property
    def shared(self) -> bool:
        """Whether somebody else has opened it, who does not tell us what ssh notes."""
        return self._borrowed is not None

    def open(self, *, alone: bool = False) -> None:
        """Log in, alone if nobody else's login is to serve; NotConnected says why it cannot."""
        settings = self._settings()
        self._borrowed = None if alone else self._login_of_another(settings)
        if self._borrowed:
            return  # and whoever has opened it knows when to end it
        self._log.open()
        self._master = subprocess.Popen(
            self._log.command(*self._master_words(settings)), executable=real_ssh(self.program),
            env=self._log.environment(self._environment), text=True, errors="replace",
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
        return self._borrowed is not None and self._borrowed.lives()

    def run(self, program: str, timeout: float) -> Ended:
        """Run a shell program on the node, over standard input, so that no argument shows it."""
        return self._ended(self._through("sh -s"), program, timeout)

    @contextmanager
    def running(self, program: str, mark: str, within: float) -> Iterator[str]:
        """Have a program run on the node for a while; gives what it prints behind the mark."""
        with running(self._through("sh -s"), self._environment, program) as process:
            yield printed_behind(mark, process, within)

    def forward(self, local: str, target: str) -> Ended:
        """Listen on this computer for what is on the node."""
        asked = self._control("forward", "-L", f"{local}:{target}")
        if asked.code == 0:
            self._forwards.append(f"{local}:{target}")
        return asked

    def answer_of(self, target: str, wait: float) -> bytes | None:
        """What a target on the node says first; nothing when it is closed, None when it is mute.

        ssh listens for it on a socket where nobody else can open it: whoever could would be taken
        for this person there.
        """
        local = str(self._control_path.with_name(f"{self._control_path.name}-{next(self._probes)}"))
        asked = self.forward(local, target)
        if asked.code:
            raise NotForwarded(asked.stderr.strip())
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(wait)
                connection.connect(local)
                return connection.recv(64)
        except TimeoutError:
            return None
        except OSError:
            return b""
        finally:
            self._cancel(f"{local}:{target}")
            Path(local).unlink(missing_ok=True)

    def cancel_forwards(self) -> None:
        """Stop listening. A master that outlives us would keep what it forwards."""
        while self._forwards:
            self._cancel(self._forwards[-1])

    def close(self) -> None:
        """End everything of ours, and nothing of the person's."""
        if self._borrowed:
            self.cancel_forwards()
            self._borrowed.leave()
            self._borrowed = None
        if self._master is None:
            return
        self._end(self._master)
        self._master = None
        self._forwards.clear()
        self._control_path.unlink(missing_ok=True)

    def _end(self, master: subprocess.Popen[str]) -> None:
        if self._control_path.exists():
            self._control("exit")  # a script that stands for ssh would end, and leave ssh itself
        end(master)
        if self._reader:
            self._reader.join(timeout=2)
        self._log.close()

    def _settings(self) -> ssh_config.Settings:
        said = own_ssh.asked(["-N", *self.words], self.program)
        if said.returncode:
            raise NotConnected(said.stderr)
        return ssh_config.parse(said.stdout)

    def _login_of_another(self, settings: ssh_config.Settings) -> BorrowedLogin | None:
        path = self._own_login(settings) or self._login_of_ansible(settings)
        try:
            return BorrowedLogin(path) if path else None
        except OSError:
            return None  # it has just ended

    def _own_login(self, settings: ssh_config.Settings) -> str:
        """The socket of a login that the person has opened; no other is taken for it."""
        reason = own_ssh.why_not_shared(settings, self.words, self.program)
        if reason:
            self._tell(reason)
            return ""
        return own_ssh.shared_login(settings)

    def _login_of_ansible(self, settings: ssh_config.Settings) -> str:
        """The socket of the one that a play has just used, if it is as narrow as ours would be.

        Only once: when it was lost, it may still seem to stand.
        """
        path, self._standing = self._standing, ""
        return path if own_ssh.narrow(settings) and own_ssh.stands(path) else ""

    def _master_words(self, settings: ssh_config.Settings) -> list[str]:
        dropped = [word for known, option in _NOT_OURS.items() if known in settings
                   for word in ("-o", option)]  # fmt: skip
        return [
            *_MASTER.split(),
            "-S",
            str(self._control_path),
            *_OPTIONS.split(),
            *dropped,
            *self.words,
        ]

    def _through(self, *words: str) -> list[str]:
        path = self._borrowed.path if self._borrowed else str(self._control_path)
        return [*own_ssh.through(path), *_CLIENT.split(), _NAME, *words]

    def _control(self, command: str, *more: str) -> Ended:
        *through, name = self._through()
        return self._ended([*through, "-O", command, *more, name], "", CONTROL_WITHIN)

    def _cancel(self, forward: str) -> None:
        self._control("cancel", "-L", forward)
        self._forwards.remove(forward)

    def _ended(self, argv: list[str], program: str, timeout: float) -> Ended:
        try:
            done = subprocess.run(
                argv, env=self._environment, input=program.encode(), capture_output=True,
                check=False, timeout=timeout,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Ended(124, "", f"no answer within {timeout:g} seconds")
        # Not as text: Python would take a carriage return for the end of a line.
        said = [stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr)]
        return Ended(done.returncode, *said)

    def _heard(self, line: str) -> None:
        """Tell what ssh warns of."""
        if not _NOTE.match(line):
            self._tell(line)

    def _listen(self, master: subprocess.Popen[str]) -> None:
        """Tell what servers say before they let anybody in: it is the person's to read."""
        for line in master.stderr or []:
            text = line.rstrip("\r\n")
            if text:
                self._tell(text)

    def _wait_for_login(self, master: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + LOGIN_WITHIN
        while not self._control_path.exists():
            if self._asking():
                deadline = time.monotonic() + LOGIN_WITHIN
            if master.poll() is not None or time.monotonic() > deadline:
                self._end(master)
                raise NotConnected(self.log)
            time.sleep(_LOOK)

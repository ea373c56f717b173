# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: how the person's ssh gets to the server in a job, found out by trying, in the job.

A login on the compute node is the first choice. Where the job has a /tmp of its own, which such a
login does not see, it sees it through the job's process. Where there is no login, the job logs in
to the node that it was submitted from: a socket there, which only the person can open, leads back.
Nothing listens on a port anywhere.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import Callable, Iterator, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._common.quoting import shell_word
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.processes import (
    Completed,
    Process,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import Submission
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import (
    ONLY_OUR_COMMAND,
    OUR_COMMAND,
    SSH,
)

LOGIN_WITHIN = 15.0  # seconds; sshd may ask the scheduler whether the person may come in
POLL = 0.1
TRY_AGAIN = 60.0  # seconds until a login that was lost is made anew
# Nobody is there to answer, nothing of an open login of the person's is used, and one that has
# died is noticed. IgnoreUnknown: OpenSSH 7.4 has no RemoteCommand.
_ALONE = (
    *("-x", "-o", "IgnoreUnknown=RemoteCommand", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"),
    *("-o", "ControlPersist=no", "-o", "PermitLocalCommand=no", "-o", "Tunnel=no"),
    *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"),
)
_MASTER = ("-M", "-N", "-a", "-o", "ClearAllForwardings=yes", *OUR_COMMAND)
_MARK = "entrance"
_CONTROL = "relay.ctl"
_LOOK = """\
for place in {places}; do
  [ "$(cat "$place/{name}" 2>/dev/null)" = {mark} ] && printf 'seen %s\\n' "$place" && exit
done
echo nowhere
"""
# Whoever has made that directory before us gets nothing.
_PREPARE = """\
umask 077
mkdir {directory} 2>/dev/null
[ -d {directory} ] && [ ! -L {directory} ] && [ -O {directory} ] && chmod 700 {directory} &&
  rm -f {socket} && echo ready
"""


def relay_path(layout: Layout) -> str:
    """The socket on the node that a job is submitted from, in the directory of its servers."""
    return f"{layout.local}/job.sock"


@dataclass(frozen=True)
class Entrance:
    """What a record says of it."""

    socket: str  # of the server, as a login on its own node sees it
    relay: str = ""  # the node whose socket leads there instead
    relay_socket: str = ""
    obstacle: str = ""  # why it is not known how to get there

    def noted(self) -> dict[str, str]:
        """The fields of the record that speak of it."""
        return {name: value for name, value in vars(self).items() if name != "socket"}


@contextlib.contextmanager
def tried(layout: Layout, mark: str, env: Mapping[str, str]) -> Iterator[Callable[[], str]]:
    """Log in to this very node while the server starts; what is yielded gives where it is seen.

    NotebookError says why there is no login, or that it does not see the job's files.
    """
    path = f"{layout.local}/{_MARK}"
    files.write_private(path, mark.encode())
    inside = f"/proc/{os.getpid()}/root"
    places = " ".join(shell_word(root + layout.local) for root in ("", inside))
    asked = _LOOK.format(places=places, name=_MARK, mark=shell_word(mark))
    try:
        with processes.asked(_login(layout.host), asked, env) as answer:
            yield lambda: seen_from(answer(LOGIN_WITHIN), layout.host, layout.local)
    finally:
        files.remove(path)


def _login(host: str) -> list[str]:
    """What runs a shell there, whatever the login shell is."""
    return [SSH, *_ALONE, *ONLY_OUR_COMMAND, "-S", "none", host, "sh -s"]


def seen_from(done: Completed, host: str, local: str) -> str:
    """The root below which a login sees the files of the job."""
    places = [line[5:] for line in done.stdout.splitlines() if line.startswith("seen ")]
    if places and places[0].endswith(local):
        return places[0][: -len(local)]
    what = "a login there does not see the files of the job" if done.code == 0 else _words(done)
    raise NotebookError(what, f"ssh {host}")


def _words(done: Completed) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return printable(lines[-1]) if lines else f"it ended with {done.code}"


def entrance(layout: Layout, seen: Callable[[], str], relay: Relay) -> Entrance:
    """The first that works."""
    usual = layout.socket
    try:
        return Entrance(f"{seen()}{usual}")
    except NotebookError as error:
        refused = str(error)
    try:
        return Entrance(usual, relay.open().partition(".")[0], relay.socket)
    except NotebookError as error:
        why = f"how to get there could not be found out in the job: {refused}; {error}"
        return Entrance(usual, obstacle=why)


class Relay:
    """A login of the job on the node that it was submitted from, and a socket there."""

    def __init__(self, layout: Layout, wanted: Submission, env: Mapping[str, str]) -> None:
        self.socket = wanted.relay
        self._layout, self._origin, self._env = layout, wanted.origin, env
        self._control = f"{layout.local}/{_CONTROL}"
        self._master: Process | None = None
        self._again = 0.0
        self._opened = contextlib.ExitStack()

    def open(self) -> str:
        """The name by which that node was reached; NotebookError says why it was not."""
        self._opened.close()
        files.remove(self._control)
        host = self._prepared()
        begun = processes.child([SSH, *_ALONE, *_MASTER, "-S", self._control, host], self._env)
        self._master = self._opened.enter_context(begun)
        self._wait_for_master(host)
        done = self._there("-O", "forward", "-R", f"{self.socket}:{self._layout.socket}", "node")
        if done.code:
            raise NotebookError(f"it has no socket lead here: {_words(done)}", f"ssh {host}")
        return host

    def keep(self) -> None:
        """Open again what was lost; called every second."""
        if self._master is None or time.monotonic() < self._again or self._master.alive():
            return
        self._again = time.monotonic() + TRY_AGAIN
        with contextlib.suppress(NotebookError):
            self.open()

    def close(self) -> None:
        """Leave nothing there and here."""
        if self._master and self._master.alive():
            with contextlib.suppress(NotebookError):
                self._there("-T", "node", f"rm -f {shell_word(self.socket)}")
        self._opened.close()
        files.remove(self._control)

    def _prepared(self) -> str:
        """Make the directory, by a login that says why it is refused."""
        directory = shell_word(self.socket.rpartition("/")[0])
        asked = _PREPARE.format(directory=directory, socket=shell_word(self.socket))
        said = []
        for host in dict.fromkeys((self._origin, self._origin.partition(".")[0])):
            done = processes.run(_login(host), stdin=asked, timeout=LOGIN_WITHIN, env=self._env)
            if "ready" in done.stdout.splitlines():
                return host
            refused = (
                "the directory for sockets there is not private" if done.code in (0, 1) else ""
            )
            said.append(f"ssh from {self._layout.host} to {host}: {refused or _words(done)}")
        raise NotebookError("; ".join(said))

    def _wait_for_master(self, host: str) -> None:
        deadline = time.monotonic() + LOGIN_WITHIN
        while not files.is_our_socket(self._control):
            if time.monotonic() > deadline or not (self._master and self._master.alive()):
                raise NotebookError("it did not stay connected", f"ssh {host}")
            time.sleep(POLL)

    def _there(self, *words: str) -> Completed:
        """Through that login and no other; no configuration adds anything."""
        through = [SSH, "-F", "none", "-S", self._control, "-o", "BatchMode=yes"]
        argv = [*through, "-o", "ProxyCommand=false", *words]
        return processes.run(argv, timeout=LOGIN_WITHIN, env=self._env)


@contextlib.contextmanager
def relaying(layout: Layout, wanted: Submission, env: Mapping[str, str]) -> Iterator[Relay]:
    """A relay that is there when it is wanted, and leaves nothing behind."""
    relay = Relay(layout, wanted, env)
    try:
        yield relay
    finally:
        relay.close()

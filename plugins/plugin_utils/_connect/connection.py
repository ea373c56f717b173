# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a login on a node to a port of this computer behind which our server has shown itself."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.login_files import (
    shell_todo,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import discovery, probe
from ansible_collections.hpcc.notebook.plugins.module_utils._server.discovery import Node
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import Endpoint, Trust
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import faults, tunnel
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import Fault
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import ansible_login, forwarding
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.listener import require_free
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import (
    NotConnected,
    Session,
)

ANSWER_WITHIN = 30.0  # seconds for a command on the node: a shared home may be slow to read
STANDS_WITHIN = 8.0  # seconds for the same through a login that may be dead
REFUSE_WITHIN = 5.0  # seconds for a node to close a connection that it does not lead on
SHOW_WITHIN = 20.0  # seconds for the server to show its certificate
# Which of them says that nobody answered any more depends on Python and OpenSSL.
_CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_FIND = SCRIPTS / "connect" / "find.sh"
_SERVER = SCRIPTS / "shared" / "server.sh"


class Lost(Exception):  # noqa: N818 - reads as what happened
    """The way is not open."""

    def __init__(self, fault: Fault, server: Mapping[str, Any] | None = None) -> None:
        self.fault = fault
        self.server = server
        super().__init__(str(fault.error()))


class Elsewhere(Exception):  # noqa: N818 - reads as what happened
    """The login ended on another node than the server's."""

    def __init__(self, node: Node, server: Mapping[str, Any]) -> None:
        self.node = node
        self.server = server
        super().__init__(
            f"the server runs on {printable(server['host'])}, this login ended on {node.host}"
        )


@dataclass
class Connection:
    """One login and one server behind a port of this computer."""

    session: Session
    profile: str
    local_port: int
    refused: list[str]  # what ssh asked and nobody answered
    trusts: tuple[Trust, ...] = ()
    ssh_port: int = 22  # where the sshd of the node listens
    python: str = ""  # of the server, on the node
    ansibles: Path | None = None  # where Ansible keeps logins of its own
    chain: str = ""  # what the profile's certificate is, and who signed it

    def find(self) -> dict[str, Any]:
        """Log in and find the server; Elsewhere when it is on another node."""
        self._log_in()
        node = self._looked()
        record = discovery.choose(node)
        server = discovery.server(node, record)
        if record.entered != node.host:
            raise Elsewhere(node, server)
        self.ssh_port, self.python, self.chain = node.ssh_port, node.python, node.chain
        prints = discovery.fingerprints(node, record)
        self.trusts = tuple(Trust(sha256) for sha256 in prints)
        return server

    def open(self) -> dict[str, Any]:
        """Make the port lead to the server, and let the server prove that it is ours."""
        if self.ansibles:
            argv = [self.session.program, *self.session.words]
            ansible_login.release(self.local_port, argv, self.ansibles)
        require_free(self.local_port)
        server = self.find()
        local, target = tunnel.local_end(self.local_port), tunnel.remote_end(server)
        asked = self.session.forward(local, target)
        if asked.code:
            raise Lost(Fault(f"ssh cannot listen: {asked.stderr.strip()}", local))
        self._prove(server)
        return server

    def why_dead(self, timeout: float = SHOW_WITHIN) -> str | None:
        """Why nothing comes through any more; None when our server answers."""
        if not self.session.alive():
            return "ssh has ended"
        try:
            self._handshake(probe.require_certificate, timeout)
        except OSError as error:
            return f"no answer: {error}"
        return None

    def _looked(self) -> Node:
        """A login that somebody else has opened may be of before this computer slept."""
        if not self.session.shared:
            return look(self.session, self.profile)
        try:
            return look(self.session, self.profile, STANDS_WITHIN)
        except NotebookError:
            self.session.close()
            self._log_in(alone=True)
            return look(self.session, self.profile)

    def _log_in(self, *, alone: bool = False) -> None:
        self.refused.clear()
        try:
            self.session.open(alone=alone)
        except NotConnected as reason:
            raise Lost(faults.diagnose(str(reason), self.refused)) from reason

    def _prove(self, server: Mapping[str, Any]) -> None:
        try:
            self._handshake(probe.require_private, SHOW_WITHIN)
        except OSError as error:
            raise Lost(self._why_not_led(server, error), server) from error

    def _why_not_led(self, server: Mapping[str, Any], error: OSError) -> Fault:
        """Whether the node or the server is to blame when nothing comes back."""
        host, transport = str(server["host"]), str(server["transport"])
        ports = forwarding.ports(self.session, self.ssh_port, REFUSE_WITHIN).answer
        if transport == "tcp" and ports == forwarding.NO:
            return faults.forbidden(host, transport, other_way=False)
        if transport == "socket":
            pythons = [self.python, "python3"]
            led = forwarding.sockets(self.session, pythons, REFUSE_WITHIN).answer
            if led == forwarding.NO:
                return faults.forbidden(host, transport, other_way=ports != forwarding.NO)
        return faults.silent(server, error)

    def _handshake(self, prove: Callable[[Endpoint, Trust, float], None], timeout: float) -> None:
        """Whoever answers has to hold one of our certificates; OSError when nobody does."""
        for place, trust in enumerate(self.trusts, 1):
            try:
                prove(Endpoint(port=self.local_port), trust, timeout)
                return
            except NotebookError as error:
                if isinstance(error.__cause__, _CLOSED):
                    raise ConnectionError("the connection was closed") from error
                if place == len(self.trusts):
                    raise


def look(session: Session, profile: str, within: float = ANSWER_WITHIN) -> Node:
    """Ask the node that a login ended on what it knows of the profile's servers."""
    asked = question({"PROFILE": profile}, _SERVER, _FIND)
    ended = session.run(asked.program, within)
    found = asked.answers(ended.stdout)
    if not found:
        raise NotebookError(
            f"`sh -s` ended with {ended.code}: {_last(ended.stderr or ended.stdout)}",
            "the first command on the node",
            f"{shell_todo(ended.stderr or ended.stdout)}. By hand: `ssh NODE sh -s`",
        )
    return discovery.node(found)


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]

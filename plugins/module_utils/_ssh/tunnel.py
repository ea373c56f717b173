# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that leads to a server, as one line to paste. Pure.

Every value is quoted for the shell; how the machines are reached stands in hops.py.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import hops
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Hop, Variables

LOCAL_PORT = 8888

# -a: nothing at the other end needs the agent. ExitOnForwardFailure: without it ssh goes on when
# it could not listen, and the browser gets the page of whoever does.
SAFELY = ["-a", "-o", "ExitOnForwardFailure=yes"]
_SOCKET = re.compile(r"/[A-Za-z0-9._/+-]{1,106}")


def tunnel_command(
    server: Variables,
    dev: Variables,
    gateway: Variables | None = None,
    local_port: object = LOCAL_PORT,
    form: str | None = None,
) -> str:
    """The command that makes a server reachable at https://127.0.0.1:<local port>.

    Args:
        server: what the module notebook_server returned.
        dev: the variables of the host that it runs on.
        gateway: the variables of the machine that everybody logs into.
        local_port: the port on the person's own computer.
        form: jump (nothing listens on the gateway), relay (for gateways that forbid jumping) or
            two_hop (for nodes that only the gateway's own ssh can log in to).
    """
    return command_of(tunnel_words(server, dev, gateway, local_port, form))


def command_of(words: Sequence[str]) -> str:
    """The argument vector as one line to paste."""
    return hops.line_of(words)


def outer_words(words: Sequence[str]) -> list[str]:
    """What the ssh of this computer gets, without a command that it hands on."""
    return list(words[1:-1] if words[1] == "-t" else words[1:])


def tunnel_words(
    server: Variables,
    dev: Variables,
    gateway: Variables | None,
    local_port: object,
    form: str | None,
) -> list[str]:
    """The same as an argument vector."""
    entered = {**server, "host": server.get("relay") or server["host"]}
    found = hops.way_to(entered, dev, gateway, form)
    local, target = local_end(local_port), remote_end(server)
    if form == "two_hop" and found.gateway:
        words = _two_hop(found.gateway, found.node, local, target, meeting_point(server))
        return [found.program, *words]
    return [found.program, "-N", *SAFELY, *found.words("-L", f"{local}:{target}")]


def local_end(port: object) -> str:
    """Where the person's own computer listens: for its own programs only."""
    return f"127.0.0.1:{hops.checked('nbserver_local_port', 'port', port)}"


def meeting_point(server: Variables) -> str:
    """Where the two halves of the two-hop form meet on the gateway.

    In the home that the gateway shares nobody else can listen. A port is for sites that forward no
    sockets, and for homes whose path cannot be written into the command.
    """
    path = str(server.get("gateway_socket", ""))
    if server["transport"] == "socket" and _SOCKET.fullmatch(path):
        return path
    return f"127.0.0.1:{gateway_port(server)}"


def gateway_port(server: Variables) -> int:
    """The gateway's port in the two-hop form: the same each time, another for other people."""
    whose = "{user}@{host}/{session}".format(**{"user": "", "session": "", **server})
    return 20000 + zlib.crc32(whose.encode()) % 12768  # below what Linux hands out by itself


def remote_end(server: Variables) -> str:
    """Where the server listens, seen from its host. The answer comes from there: trust nothing."""
    if server["transport"] == "tcp":
        return f"127.0.0.1:{hops.checked('port', 'port', server['port'])}"
    path = str(server["socket"])
    if not _SOCKET.fullmatch(path):
        raise NotebookError(f"is not the path of a socket of ours: {path!r}", "socket")
    return path


def _two_hop(first: Hop, node: Hop, local: str, target: str, middle: str) -> list[str]:
    """Two connections, one behind the other: the gateway's own ssh makes the second.

    Options and keys are those of the person's computer, so they belong to the first.
    """
    behind = replace(node, options=())
    anew = ["-o", "StreamLocalBindUnlink=yes"] if middle.startswith("/") else []
    second = [hops.SSH, "-N", *SAFELY, *anew, *behind.words("-L", f"{middle}:{target}")]
    outer = hops.before(first, node).words("-L", f"{local}:{middle}")
    return ["-t", *SAFELY, *hops.OUR_COMMAND, *outer, hops.line_of(second)]

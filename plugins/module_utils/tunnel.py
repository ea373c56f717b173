# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from a person's computer to a server, as one line to paste. Pure.

Whatever makes Ansible reach the node makes the tunnel reach it: the same user, port, key and
options of ssh. Every value is one that the rules accept, and is quoted for the shell.
"""

from __future__ import annotations

import getopt
import re
import shlex
import zlib
from dataclasses import dataclass, replace
from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils.quoting import shell_word
from ansible_collections.hpcc.notebook.plugins.module_utils.rules import RULES, require

Variables = Mapping[str, object]
LOCAL_PORT = 8888

# -a: nothing at the other end needs the agent. ExitOnForwardFailure: without it ssh goes on when
# it could not listen, and the browser gets the page of whoever does.
_SAFELY = ["-a", "-o", "ExitOnForwardFailure=yes"]

# All options of ssh, as getopt writes them, and those of them that decide how a host is reached.
_OPTIONS = "46AaB:b:Cc:D:E:e:F:fGgI:i:J:KkL:l:Mm:NnO:o:P:p:Q:qR:S:sTtVvW:w:XxYy"
_REACHING = re.compile("-[46BbCcFIiJlmoPpS]")
# What Ansible may use, but what would undo or widen the tunnel, or keep ssh from asking a person.
_NOT_IN_A_TUNNEL = re.compile(
    r"batchmode|clearallforwardings|(dynamic|local|remote)forward|exitonforwardfailure|"
    r"fork.*|forward(agent|x11)|gatewayports|(permit)?localcommand|remotecommand|requesttty|"
    r"sessiontype|stdinnull|tunnel"
)
_PROXY = re.compile(r"(?i)\s*Proxy(Jump|Command)[\s=]")
_SOCKET = re.compile(r"/[A-Za-z0-9._/+-]{1,106}")


@dataclass(frozen=True)
class Hop:
    """One machine on the way, and how to log in there."""

    host: str
    user: str = ""
    port: str = ""
    options: tuple[tuple[str, str], ...] = ()  # option and value, which may be empty

    @property
    def login(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host

    def jump(self) -> str:
        """As -J takes it; an IPv6 address there always stands in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return "".join([f"{self.user}@" if self.user else "", host, self.port and f":{self.port}"])

    def words(self, *forward: str) -> list[str]:
        """As ssh takes it: its options, then what is to be forwarded, then whom to log in as."""
        given = [word for pair in self.options for word in pair if word]
        return [*given, *(["-p", self.port] if self.port else []), *forward, self.login]


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
        form: jump (nothing listens on the gateway) or two_hop (for gateways that forbid jumping).
    """
    require("nbserver_local_port", "port", local_port)
    node = _node(server, dev)
    first = _gateway(node, gateway) if gateway else None
    forward = f"127.0.0.1:{local_port}:", _target(server)
    if first and _same(node, first, server, dev):
        return _line(["ssh", "-N", *_SAFELY, *first.words("-L", "".join(forward))])
    if form == "two_hop":
        return _two_hop(first or _jump_of(node), node, *forward, gateway_port(server))
    if form not in (None, "jump"):
        raise NotebookError(f"must be jump or two_hop, got {form!r}", "nbserver_tunnel")
    jump = ["-J", first.jump()] if first and not _finds_its_way(node) else []
    return _line(["ssh", "-N", *_SAFELY, *jump, *node.words("-L", "".join(forward))])


def gateway_port(server: Variables) -> int:
    """The gateway's port in the two-hop form: the same each time, another for other people."""
    whose = "{user}@{host}/{session}".format(**{"user": "", "session": "", **server})
    return 20000 + zlib.crc32(whose.encode()) % 12768  # below what Linux hands out by itself


def announcement(
    server: Variables, command: str = "", local_port: object = LOCAL_PORT, check: bool = False
) -> list[str]:
    """The lines to print for what notebook_server returned."""
    host = f"Notebook server on {_shown(server['host'])}"
    if server["state"] == "stopped":
        return [f"{host} {_stopped(server, check)}."]
    verb = "would be started" if check and server.get("changed") else "is running"
    session = f'tmux session "{_shown(server["session"])}", {_shown(server["version"])}'
    return [
        f"{host} {verb} ({session}).",
        "On your own computer:",
        f"    {command}",
        f"then open https://127.0.0.1:{local_port}   "
        f"(certificate SHA-256 {_shown(server['certificate_sha256'])})",
        *(_WARNING.format(port=gateway_port(server)).splitlines() if _chained(command) else []),
    ]


_WARNING = (
    "Warning: any user of the gateway can listen on its port {port} before you do, and would get\n"
    "your password. Log in only where the browser shows the fingerprint above."
)


def _chained(command: str) -> bool:
    return command.startswith("ssh -t ")


def _stopped(server: Variables, check: bool) -> str:
    if not server.get("changed"):
        return "was not running"
    return "would be stopped" if check else f"was stopped: {_shown(server['stopped_by'])}"


def _gateway(node: Hop, gateway: Variables) -> Hop:
    """How the gateway is reached; people have the same login name there unless it says so."""
    names = ("ansible_host", "ansible_ssh_host", "inventory_hostname")
    first = _hop(gateway, _first(gateway, *names))
    return replace(first, user=first.user or node.user)


def _node(server: Variables, dev: Variables) -> Hop:
    """Where the server runs: as Ansible reaches it, or by its own name when it is this host."""
    if _local(dev):
        node = Hop(_checked("host", "host_name", server["host"]))
    else:
        names = ("ansible_host", "ansible_ssh_host", "inventory_hostname")
        node = _hop(dev, _first(dev, *names))
    runs_as = str(server.get("user", ""))
    return node if node.user or RULES["ssh_user"](runs_as) else replace(node, user=runs_as)


def _local(variables: Variables) -> bool:
    return str(variables.get("ansible_connection", "")).rpartition(".")[2] == "local"


def _same(node: Hop, first: Hop, server: Variables, dev: Variables) -> bool:
    """Whether the server runs on the gateway itself."""
    by_name = _local(dev) and first.host.split(".")[0] == str(server["host"])
    return by_name or (node.host, node.port) == (first.host, first.port)


def _hop(variables: Variables, host: object) -> Hop:
    """How Ansible logs into a host."""
    user = _first(variables, "ansible_user", "ansible_ssh_user")
    port = _first(variables, "ansible_port", "ansible_ssh_port")
    key = _first(variables, "ansible_ssh_private_key_file", "ansible_private_key_file")
    return Hop(
        _checked("ansible_host", "host_name", host),
        _checked("ansible_user", "ssh_user", user) if user else "",
        _checked("ansible_port", "port", port) if port else "",
        (*_reaching(variables), *([("-i", _checked("private key", "path", key))] if key else [])),
    )


def _reaching(variables: Variables) -> list[tuple[str, str]]:
    """The options by which Ansible's ssh finds the host; those for anything else are left out."""
    kept = []
    for name in ("ansible_ssh_common_args", "ansible_ssh_extra_args"):
        for option, value in _parsed(name, str(variables.get(name) or "")):
            if option == "-J":
                _require_jumps(name, value)
            if _belongs_in_a_tunnel(option, value):
                kept.append((option, value))
    return kept


def _belongs_in_a_tunnel(option: str, value: str) -> bool:
    keyword = re.split(r"[\s=]", value.strip(), maxsplit=1)[0].lower()
    unwanted = option == "-o" and _NOT_IN_A_TUNNEL.fullmatch(keyword)
    return bool(_REACHING.fullmatch(option)) and not unwanted


def _parsed(name: str, text: str) -> list[tuple[str, str]]:
    try:
        options, rest = getopt.getopt(shlex.split(text), _OPTIONS)
    except (getopt.GetoptError, ValueError) as error:
        raise NotebookError(f"is not what ssh understands: {error}", name) from error
    if rest:
        raise NotebookError(f"must hold options of ssh only, got {rest[0]!r}", name)
    return options


def _require_jumps(name: str, value: str) -> None:
    for jump in value.split(","):
        require(name, "ssh_host", jump)


def _leads_over_others(option: str, value: str) -> bool:
    """Whether an option names the machines that lie on the way."""
    return option == "-J" or (option == "-o" and bool(_PROXY.match(value)))


def _finds_its_way(node: Hop) -> bool:
    """Whether ssh knows the way: from its options, or a file of them that Ansible uses."""
    return any(option == "-F" or _leads_over_others(option, v) for option, v in node.options)


def _target(server: Variables) -> str:
    """Where the server listens, seen from its host. The answer comes from there: trust nothing."""
    if server["transport"] == "tcp":
        return f"127.0.0.1:{_checked('port', 'port', server['port'])}"
    path = str(server["socket"])
    if not _SOCKET.fullmatch(path):
        raise NotebookError(f"is not the path of a socket of ours: {path!r}", "socket")
    return path


def _two_hop(first: Hop, node: Hop, local: str, target: str, port: int) -> str:
    """Two connections, one behind the other: the gateway's own ssh makes the second.

    Options and keys are those of the person's computer, so they belong to the first.
    """
    middle = f"127.0.0.1:{port}"
    behind = replace(node, options=())
    second = ["ssh", "-N", *_SAFELY, *behind.words("-L", f"{middle}:{target}")]
    before = replace(first, options=(*_direct(node), *_direct(first)))
    outer = before.words("-L", f"{local}{middle}")
    return _line(["ssh", "-t", *_SAFELY, *outer, _line(second)])


def _direct(hop: Hop) -> list[tuple[str, str]]:
    return [pair for pair in hop.options if not _leads_over_others(*pair)]


def _jump_of(node: Hop) -> Hop:
    """The first machine on the way, when only ssh's options name it."""
    jumps = [value for option, value in node.options if option == "-J"]
    if not jumps:
        raise NotebookError("two_hop needs a host in the group hpcc_gateway", "nbserver_tunnel")
    return _parsed_jump(jumps[0].split(",")[0])


def _parsed_jump(jump: str) -> Hop:
    """What stands after -J, which the rules have accepted: [user@]host[:port]."""
    user, place = jump.rpartition("@")[::2]
    brackets = re.fullmatch(r"\[(.+)\](?::(\d+))?", place)
    plain = re.fullmatch(r"([^:]+):(\d+)", place)
    found = brackets or plain
    return Hop(found.group(1), user, found.group(2) or "") if found else Hop(place, user)


def _first(variables: Variables, *names: str) -> object:
    return next((variables[name] for name in names if variables.get(name) not in (None, "")), "")


def _checked(name: str, rule: str, value: object) -> str:
    require(name, rule, value)
    return str(value)


def _line(words: Sequence[str]) -> str:
    try:
        return " ".join(map(shell_word, words))
    except ValueError as error:
        raise NotebookError(str(error), "the tunnel's command") from error


def _shown(value: object) -> str:
    """Text from another host for a terminal: its control characters do nothing there."""
    return "".join(char if char.isprintable() else "?" for char in str(value))

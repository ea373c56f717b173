# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines between a person's computer and a node, and how ssh logs in to each. Pure.

Whatever makes Ansible reach the node makes the tunnel reach it: the same user, port, key and
options of ssh. Every value is one that the rules accept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.quoting import shell_word
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import RULES, require
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.options import parsed

Variables = Mapping[str, object]

# The options of ssh that decide how a host is reached.
_REACHING = re.compile("-[46BbCcFIiJlmoPpS]")
# What Ansible may use, but what would undo or widen the tunnel, send it to the background, or keep
# ssh from asking a person.
_NOT_IN_A_TUNNEL = re.compile(
    r"batchmode|clearallforwardings|control(master|persist)|(dynamic|local|remote)forward|exitonforwardfailure|"
    r"fork.*|forward(agent|x11)|gatewayports|(permit)?localcommand|remotecommand|requesttty|"
    r"sessiontype|stdinnull|tunnel"
)
# For a command of ours: the configuration may want to run another one at each login, …
NO_OTHER_COMMAND = "RemoteCommand=none"
OUR_COMMAND = ("-o", NO_OTHER_COMMAND)
# … and, where the command is all that is wanted, ports and a terminal besides.
ONLY_OUR_COMMAND = ("-a", "-T", "-o", "ClearAllForwardings=yes", *OUR_COMMAND)
_PROXY = re.compile(r"(?i)\s*Proxy(Jump|Command)[\s=]")


SSH = "ssh"


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


@dataclass(frozen=True)
class Way:
    """The node that a login ends on, and the gateway that lies before it, if one does."""

    node: Hop
    gateway: Hop | None = None
    over: tuple[str, ...] = ()  # what leads over the gateway, where ssh would not go by itself
    program: str = SSH  # what Ansible takes for ssh

    def words(self, *forward: str) -> list[str]:
        """As ssh takes it, all but its name and what it is to do."""
        return [*self.over, *self.node.words(*forward)]


FORMS = ("jump", "two_hop", "relay")


def way_to(
    server: Variables, dev: Variables, gateway: Variables | None, form: str | None = None
) -> Way:
    """The way to a node: over the gateway by jumping, or through a program that runs there."""
    return replace(_way(server, dev, gateway, form), program=program(dev))


def program(variables: Variables) -> str:
    """What is run as ssh to reach a host; without a slash, it is looked for by its name."""
    given = variables.get("ansible_ssh_executable")
    return checked("ansible_ssh_executable", "key_file", given) if given else SSH


def _way(server: Variables, dev: Variables, gateway: Variables | None, form: str | None) -> Way:
    node = _node_of(server, dev)
    first = _gateway_of(node, gateway) if gateway else None
    if form not in (None, *FORMS):
        raise NotebookError(f"must be one of {', '.join(FORMS)}, got {form!r}", "nbserver_tunnel")
    if first and _is_same(node, first, server, dev):
        return Way(first)
    if form == "relay":
        return _relayed(first or _jump_of(node, form), node, program(dev))
    if form == "two_hop":
        return Way(node, first or _jump_of(node, form))
    known = first is None or _finds_its_way(node)
    return Way(node, first, () if known or first is None else ("-J", first.jump()))


def _relayed(first: Hop, node: Hop, ssh: str) -> Way:
    """A login on the gateway carries the connection on: that is no forwarding, nothing listens."""
    login = before(first, node).words()
    tokens = line_of([ssh, *ONLY_OUR_COMMAND, *login]).replace("%", "%%")
    over = ("-o", f"ProxyCommand={tokens} nc %h %p")
    return Way(replace(node, options=tuple(_direct_options(node))), first, over)


def before(first: Hop, node: Hop) -> Hop:
    """How to log in on the gateway: options and keys of this computer belong to that login."""
    both = (*_direct_options(node), *_direct_options(first))
    return replace(first, options=tuple(dict.fromkeys(both)))


def _gateway_of(node: Hop, gateway: Variables) -> Hop:
    """How the gateway is reached; people have the same login name there unless it says so."""
    names = ("ansible_host", "ansible_ssh_host", "inventory_hostname")
    first = _hop(gateway, _first(gateway, *names))
    return replace(first, user=first.user or node.user)


def _node_of(server: Variables, dev: Variables) -> Hop:
    """Where the server runs: as Ansible reaches it, or by its own name when it is this host."""
    if is_local(dev):
        node = Hop(checked("host", "host_name", server["host"]))
    else:
        names = ("ansible_host", "ansible_ssh_host", "inventory_hostname")
        node = _hop(dev, _first(dev, *names))
    runs_as = str(server.get("user", ""))
    return node if node.user or RULES["ssh_user"](runs_as) else replace(node, user=runs_as)


def is_local(variables: Variables) -> bool:
    return str(variables.get("ansible_connection", "")).rpartition(".")[2] == "local"


def _is_same(node: Hop, first: Hop, server: Variables, dev: Variables) -> bool:
    """Whether the server runs on the gateway itself."""
    by_name = is_local(dev) and first.host.split(".")[0] == str(server["host"])
    return by_name or (node.host, node.port) == (first.host, first.port)


def _hop(variables: Variables, host: object) -> Hop:
    """How Ansible logs into a host."""
    user = _first(variables, "ansible_user", "ansible_ssh_user")
    port = _first(variables, "ansible_port", "ansible_ssh_port")
    key = _first(variables, "ansible_ssh_private_key_file", "ansible_private_key_file")
    card = variables.get("ansible_ssh_pkcs11_provider")
    return Hop(
        checked("ansible_host", "ssh_alias", host),
        checked("ansible_user", "ssh_user", user) if user else "",
        checked("ansible_port", "port", port) if port else "",
        (
            *_reaching(variables),
            *([("-i", checked("private key", "key_file", key))] if key else []),
            *([("-I", checked("PKCS#11 provider", "key_file", card))] if card else []),
        ),
    )


def _reaching(variables: Variables) -> list[tuple[str, str]]:
    """The options by which Ansible's ssh finds the host; those for anything else are left out."""
    kept = []
    for name in ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"):
        options = parsed(name, str(variables.get(name) or ""))
        for option, value in options:
            if option == "-J":
                _require_jumps(name, value)
            if _belongs_in_a_tunnel(option, value) and not _is_ansibles(name, option, value):
                kept.append((option, value))
    return kept


def _is_ansibles(name: str, option: str, value: str) -> bool:
    """ssh_args is where Ansible shares logins of its own, which end by themselves."""
    keyword = _keyword(value) if option == "-o" else ""
    return name == "ansible_ssh_args" and (option == "-S" or keyword == "controlpath")


def _keyword(value: str) -> str:
    return re.split(r"[\s=]", value.strip(), maxsplit=1)[0].lower()


def _belongs_in_a_tunnel(option: str, value: str) -> bool:
    unwanted = option == "-o" and _NOT_IN_A_TUNNEL.fullmatch(_keyword(value))
    return bool(_REACHING.fullmatch(option)) and not unwanted


def _require_jumps(name: str, value: str) -> None:
    for jump in value.split(","):
        require(name, "ssh_host", jump)


def _leads_over_others(option: str, value: str) -> bool:
    """Whether an option names the machines that lie on the way."""
    return option == "-J" or (option == "-o" and bool(_PROXY.match(value)))


def _finds_its_way(node: Hop) -> bool:
    """Whether ssh knows the way: from its options, or a file of them that Ansible uses."""
    return any(option == "-F" or _leads_over_others(option, v) for option, v in node.options)


def _direct_options(hop: Hop) -> list[tuple[str, str]]:
    return without_proxies(hop.options)


def without_proxies(options: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The options but those that name a machine on the way."""
    return [pair for pair in options if not _leads_over_others(*pair)]


def _jump_of(node: Hop, form: str) -> Hop:
    """The first machine on the way, when only ssh's options name it."""
    jumps = [value for option, value in node.options if option == "-J"]
    if not jumps:
        raise NotebookError(f"{form} needs a host in the group hpcc_gateway", "nbserver_tunnel")
    return parsed_jump(jumps[0].split(",")[0])


def parsed_jump(jump: str) -> Hop:
    """What stands after -J, which the rules have accepted: [user@]host[:port]."""
    user, place = jump.rpartition("@")[::2]
    brackets = re.fullmatch(r"\[(.+)\](?::(\d+))?", place)
    plain = re.fullmatch(r"([^:]+):(\d+)", place)
    found = brackets or plain
    return Hop(found.group(1), user, found.group(2) or "") if found else Hop(place, user)


def _first(variables: Variables, *names: str) -> object:
    return next((variables[name] for name in names if variables.get(name) not in (None, "")), "")


def checked(name: str, rule: str, value: object) -> str:
    require(name, rule, value)
    return str(value)


def line_of(words: Sequence[str]) -> str:
    """The words as one line for a shell."""
    try:
        return " ".join(map(shell_word, words))
    except ValueError as error:
        raise NotebookError(str(error), "the tunnel's command") from error

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at on the way to the node. Pure."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import OVER
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    Finding,
    Seen,
    ok,
    warning,
    wrong,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.login_files import (
    login_file,
    shell_todo,
)

_SLOW_LOGIN = 10  # seconds
_SLOW_SHELL = 3


def login(seen: Seen) -> Finding | None:
    """Whether the login works, over the gateway where there is one."""
    fault = seen.one("login_fault")
    if fault:
        return wrong("login", fault, seen.one("login_todo") or "try by hand: ssh -v NODE")
    seconds = seen.number("login_seconds")
    if seconds is None:
        return None
    if seconds > _SLOW_LOGIN:
        what = f"took {seconds:.0f} s"
        return warning("login", what, "share one login: ControlMaster, see docs/login.md")
    return ok("login", f"works ({seen.one('login')}, {seconds:.1f} s)")


def node(seen: Seen) -> Finding | None:
    """Whether the shell on the node runs what it is told."""
    fault = seen.one("node_fault")
    if fault:
        return wrong(
            "shell on the node",
            fault,
            shell_todo(fault),
        )
    fault = seen.one("look_fault")
    if fault:
        what = f"it runs a command that does nothing, but not all that is looked with: {fault}"
        todo = "see whether `df ~ /tmp` and `ps` end there; or use another node: --limit NODE"
        return wrong("shell on the node", what, todo)
    return ok("shell on the node", f"answers on {seen.one('host')}") if seen.one("host") else None


def jump(seen: Seen) -> Finding | None:
    """How the gateway is passed."""
    over_socket = seen.one("transport") == "socket"
    forms = {
        "jump": "is only passed through, nothing listens on it",
        "relay": "relays, nothing listens on it",
        **({"two_hop": "passes the tunnel on through a socket of yours"} if over_socket else {}),
    }
    form = seen.one("form")
    if not seen.one("login_seconds") or not seen.one("gateway"):
        return None
    if form not in forms:
        what = "two_hop: another user of the gateway can take the port first"
        return warning("gateway", what, "compare the fingerprint in the browser each time")
    return ok("gateway", f"{seen.one('gateway')} {forms[form]}")


def ports(seen: Seen) -> Finding | None:
    """Whether the node forwards TCP."""
    if seen.one("forwards_ports") == "unknown":
        return _not_looked_at("forwarding of ports", seen.one("forwards_ports_reason"))
    if _forwards_nothing(seen):
        return None
    if seen.one("forwards_ports") == "no" and seen.one("transport") == "tcp":
        todo = f"serve over a socket: {OVER['socket']}"
        return wrong("forwarding of ports", "the node forbids it", todo)
    if seen.one("forwards_ports") == "no":
        return ok("forwarding of ports", "the node forbids it; a socket needs none")
    return ok("forwarding of ports", "allowed") if seen.one("forwards_ports") else None


def sockets(seen: Seen) -> Finding | None:
    """Whether the node forwards Unix sockets."""
    if seen.one("forwards_sockets") == "unknown":
        return _not_looked_at("forwarding of sockets", seen.one("forwards_sockets_reason"))
    if _forwards_nothing(seen):
        what = "the node forbids every forwarding, of sockets and of ports"
        return wrong("forwarding", what, "ask the site, or use another node: --limit NODE")
    if seen.one("forwards_sockets") == "no" and seen.one("transport") != "tcp":
        todo = f"serve over TCP: {OVER['tcp']}"
        return wrong("forwarding of sockets", "the node forbids it", todo)
    if seen.one("forwards_sockets") == "no":
        return ok("forwarding of sockets", "the node forbids it; TCP needs none")
    return ok("forwarding of sockets", "allowed") if seen.one("forwards_sockets") else None


def _forwards_nothing(seen: Seen) -> bool:
    """As AllowTcpForwarding and DisableForwarding have it: there is no other way to serve."""
    return seen.one("forwards_ports") == seen.one("forwards_sockets") == "no"


def _not_looked_at(subject: str, reason: str) -> Finding:
    """What could not be tried is no fault."""
    return ok(subject, f"not looked at, because {printable(reason)}")


def noise(seen: Seen) -> Finding | None:
    """What login files print gets in the way of rsync, scp and the like."""
    lines = seen.number("noise")
    if lines:
        what = f"print {lines:.0f} lines in non-interactive shells"
        return warning("login files", what, _in_login_file(seen))
    return ok("login files", "are silent") if lines is not None else None


def pace(seen: Seen) -> Finding | None:
    """What login files cost each command."""
    seconds = seen.number("shell_seconds")
    if seconds is None:
        return None
    if seconds > _SLOW_SHELL:
        what = f"take {seconds:.1f} s before each command"
        return warning("login files", what, _in_login_file(seen))
    return ok("login files", "take no time")


def _in_login_file(seen: Seen) -> str:
    file = login_file(seen.one("shell"))
    return f"in {file.path}: {file.guard}"


def round_robin(seen: Seen) -> Finding | None:
    """A name that stands for several machines."""
    machines, host = seen.number("node_addresses") or 0, seen.one("host")
    if machines > 1:
        what = f"{seen.one('asked')} stands for {machines:.0f} machines; this time it was {host}"
        return warning("name of the node", what, f"name one node in the inventory: {host}")
    return ok("name of the node", f"is one machine, {host}") if host else None


def round_robin_gateway(seen: Seen) -> Finding | None:
    """Several gateways under one name are as good as one, but have keys of their own."""
    machines = seen.number("gateway_addresses") or 0
    if machines > 1:
        what = f"{seen.one('gateway')} stands for {machines:.0f} machines; nothing depends on which"
        return ok("name of the gateway", what)
    return None


QUESTIONS = {
    "ssh_port": 'echo "${SSH_CONNECTION##* }"',
    "node_addresses": 'getent ahostsv4 "$ASKED" | cut -d" " -f1 | sort -u | wc -l',
}
CHECKS = (login, node, jump, ports, sockets, noise, pace, round_robin, round_robin_gateway)

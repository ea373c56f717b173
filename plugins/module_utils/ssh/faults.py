# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why ssh did not get through, from what it said, as something a person can act on. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Match, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError


@dataclass(frozen=True)
class Fault:
    """What went wrong on the way, whether it may pass by itself, and which form avoids it."""

    what: str
    where: str = ""
    todo: str = ""
    passing: bool = False
    form: str = ""

    def error(self) -> NotebookError:
        """The same for whoever wants an exception."""
        return NotebookError(self.what, self.where, self.todo)


def diagnose(log: str, refused: Sequence[str] = ()) -> Fault:
    """Find the reason in what ssh said, with its notes (-v), and in what nobody answered."""
    text = "\n".join([*refused, log]).replace("\r", "")
    for pattern, explain in _LOGIN:
        found = re.search(pattern, text, re.MULTILINE)
        if found:
            return explain(found, text)
    return Fault(_last_words(log), "ssh", "Try the same by hand: ssh -v …", passing=True)


def forbidden(host: str, transport: str, other_way: bool) -> Fault:
    """The node leads no connection on to a server that listens; the other kind may still work.

    sshd does not say so for sockets: it answers as if nothing was there.
    """
    if not other_way:
        what = "it forbids every forwarding (AllowTcpForwarding, DisableForwarding)"
        return Fault(what, host, "Ask the site, or use another node.")
    kind, option, other = _KINDS[transport]
    return Fault(
        f"it forbids to forward {kind} ({option})",
        host,
        "Serve the other way there: ansible-playbook hpcc.notebook.start "
        f"-e nbserver_transport={other} -e nbserver_state=restarted",
        form=other,
    )


_KINDS = {
    "socket": ("sockets", "AllowStreamLocalForwarding", "tcp"),
    "tcp": ("ports", "AllowTcpForwarding", "socket"),
}


Explain = Callable[[Match[str], str], Fault]


def _changed(found: Match[str], text: str) -> Fault:
    kind, key = _after(
        r"fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:\S+)", text
    )
    place = re.search(r"Offending \S+ key in (.+):(\d+)", text)
    forget = f"ssh-keygen -R {found[1]}" + (f" -f {place[1]}" if place else "")
    return Fault(
        f"its host key has changed, to {kind} {key.rstrip('.')}: it was set up anew, or somebody "
        "sits in between",
        found[1],
        f"Ask the site for the fingerprint. Only when it is this one: {forget}",
    )


def _unknown(found: Match[str], text: str) -> Fault:
    kind, key = _after(r"(\S+) key fingerprint is (SHA256:\S+)", text)
    if not key:  # asked with StrictHostKeyChecking=yes, where only the notes name it
        kind, key = _after(r"Server host key: (\S+) (SHA256:\S+)", text)
    return Fault(
        f"its host key is not known to this computer: {kind} {key.rstrip('.')}",
        found[1],
        "Compare it with the fingerprint that the site publishes; when they are the same, log in "
        "once by hand with ssh and answer yes",
    )


def _no_jump(_found: Match[str], _text: str) -> Fault:
    return Fault(
        "it forbids to jump over it (AllowTcpForwarding)",
        "the gateway",
        "Use a login there that relays: -e nbserver_tunnel=relay",
        form="relay",
    )


def _not_reached(found: Match[str], _text: str) -> Fault:
    what = f"it cannot reach the node: {found[1]}"
    return Fault(what, "the gateway", "Check ansible_host, or whether the node is up", passing=True)


def _denied(found: Match[str], _text: str) -> Fault:
    methods = found[2]
    todo = "Check the user name, and whether your key is the one that it knows: ssh-add -l"
    if "keyboard-interactive" in methods or "password" in methods:
        todo = "It wants a password or a code. Log in first and share that login: see docs/login.md"
    return Fault(f"the login was refused ({methods})", found[1], todo)


def _no_name(found: Match[str], _text: str) -> Fault:
    todo = "Check how it is spelt, and whether this computer is on line"
    return Fault(f"this name leads nowhere: {found[2]}", found[1], todo, passing=True)


def _unreachable(found: Match[str], _text: str) -> Fault:
    todo = "Check the network (a VPN?) and the name"
    return Fault(f"port {found[2]} cannot be reached: {found[3]}", found[1], todo, passing=True)


def _cut(found: Match[str], _text: str) -> Fault:
    return Fault(f"the connection was cut: {found[0].strip()}", "ssh", "Try again", passing=True)


def _long_socket(_found: Match[str], _text: str) -> Fault:
    return Fault(
        "the path of the shared login's socket is too long",
        "ControlPath",
        "Choose a shorter one, such as ControlPath ~/.ssh/%C",
    )


def _unreadable(found: Match[str], _text: str) -> Fault:
    return Fault(f"cannot read its configuration: {found[0].strip()}", "ssh", "Correct that line")


_LOGIN: Sequence[tuple[str, Explain]] = (
    (r"[Hh]ost key for (\S+) has changed", _changed),
    (r"authenticity of host '(\S+?)[ '].*can't be established", _unknown),
    (r"No \S+ host key is known for (\S+) and", _unknown),
    (r"Bad configuration option.*|Bad owner or permissions on .*", _unreadable),
    (r"too long for Unix domain socket|ControlPath too long|path \".*\" too long", _long_socket),
    (r"open failed: administratively prohibited(?s:.*)stdio forwarding failed", _no_jump),
    (r"open failed: (?:connect failed: )?(.+)\n(?s:.*)stdio forwarding failed", _not_reached),
    (r"^(\S+@\S+): Permission denied \((.*)\)", _denied),
    (r"Could not resolve hostname (\S+): (.*)", _no_name),
    (r"connect to host (\S+) port (\d+): (.*)", _unreachable),
    (r"^(?:kex_exchange_identification|Connection (?:closed|reset|timed out)|Timeout, ).*", _cut),
)


def _after(pattern: str, text: str) -> tuple[str, str]:
    """The kind and the fingerprint of the last key that the text names so."""
    found = re.findall(pattern, text)
    return found[-1] if found else ("", "")


def _last_words(log: str) -> str:
    lines = [line for line in log.splitlines() if line and not line.startswith("debug")]
    return lines[-1] if lines else "no login within the time, and ssh does not say why"

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why ssh did not get through, from what it said, as something a person can act on. Pure.

Only whole lines of ssh itself are read. Where one of them quotes a server, that part is data: it
is made printable before it is shown, and one word of a shell before it is typed.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Callable, Mapping, Match, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import (
    OVER,
    RESTART,
    STATUS,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable


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
    """Find the reason in what ssh said, with its notes (-v), and in what nobody answered.

    Args:
        log: the words of ssh alone, as `-E` collects them at LogLevel INFO.
        refused: what was asked and got no answer. Servers ask, too, behind a name in brackets.
    """
    text = _own_words(log)
    for question in refused:
        found = _QUESTION.match(question)
        if found:
            return _unknown(found[1], question)
    for pattern, explain in _LOGIN:
        found = re.search(pattern, text, re.MULTILINE)
        if found:
            return explain(found, text)
    return Fault(_last_words(text), "ssh", "Try the same by hand: ssh -v …", passing=True)


def nobody(text: str) -> Fault | None:
    """That ssh does nothing at all, not even say its version: it wants to know who runs it."""
    found = re.search(_NOBODY, text, re.MULTILINE)
    return _nobody(found, text) if found else None


def _nobody(found: Match[str], _text: str) -> Fault:
    what = f"this computer has no account with your user number {found[1]}, and ssh wants one"
    todo = "Run it as an account that `id -un` names; in a container, add one to its /etc/passwd"
    return Fault(what, "ssh", todo)


def _own_words(log: str) -> str:
    """Until a line quotes a server: what that has said may look like further lines."""
    lines = [line.rstrip("\r") for line in log.split("\n")]
    quoting = next((n for n, line in enumerate(lines) if _QUOTES.match(line)), len(lines))
    after = [line for line in lines[quoting + 1 :] if line == _NOT_LED_ON]
    return "\n".join([*lines[: quoting + 1], *after[:1]])


def silent(server: Mapping[str, object], error: object) -> Fault:
    """Something listens there and says nothing; a job may be suspended, and go on by itself."""
    asked = f"Ask whether its job is suspended: {STATUS}"
    todo = asked if server.get("job") else f"Restart it: {RESTART}"
    return Fault(f"the server does not answer: {error}", str(server["host"]), todo, passing=True)


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
        f"Serve the other way there: {OVER[other]}",
        form=other,
    )


_KINDS = {
    "socket": ("sockets", "AllowStreamLocalForwarding", "tcp"),
    "tcp": ("ports", "AllowTcpForwarding", "socket"),
}


_QUESTION = re.compile(r"The authenticity of host '(\S+?)[ '].*can't be established")
_QUOTES = re.compile(r"Received disconnect from |channel \d+: open failed|debug\d: Remote: ")
_NOT_LED_ON = "stdio forwarding failed"
_NOBODY = r"^No user exists for uid (\d+)"
_OPEN = r"channel \d+: open failed:"
Explain = Callable[[Match[str], str], Fault]


def _changed(found: Match[str], text: str) -> Fault:
    kind, key = _after(
        r"^The fingerprint for the (\S+) key sent by the remote host is\n(SHA256:\S+)", text
    )
    place = re.search(r"^Offending \S+ key in (.+):\d+$", text, re.MULTILINE)
    forget = ["ssh-keygen", "-R", found[1], *(["-f", place[1]] if place else [])]
    return Fault(
        f"its host key has changed, to {kind} {key.rstrip('.')}: the machine was "
        "reinstalled, or somebody sits in between",
        printable(found[1]),
        f"Ask the site for the fingerprint. Only when it is this one: {_typed(forget)}",
    )


def _not_known(found: Match[str], text: str) -> Fault:
    return _unknown(found[1], text)


def _unknown(host: str, text: str) -> Fault:
    kind, key = _after(r"^(\S+) key fingerprint is (SHA256:\S+)", text)
    # Where StrictHostKeyChecking forbids to ask, ssh does not say which key it is.
    shown = f": {kind} {key.rstrip('.')}" if key else ""
    return Fault(
        f"its host key is not known to this computer{shown}",
        printable(host),
        "Compare it with the fingerprint that the site publishes; when they are the same, log in "
        "once by hand with ssh and answer yes",
    )


def _no_jump(_found: Match[str], _text: str) -> Fault:
    return Fault(
        "it does not allow ProxyJump (as AllowTcpForwarding or PermitOpen there would)",
        "the gateway",
        "Use a login there that relays: -e nbserver_tunnel=relay",
        form="relay",
    )


def _not_reached(found: Match[str], _text: str) -> Fault:
    what = f"it cannot reach the node: {printable(found[1])}"
    return Fault(what, "the gateway", "Check ansible_host, or whether the node is up", passing=True)


def _denied(found: Match[str], _text: str) -> Fault:
    methods = found[2]
    todo = "Check the user name, and whether your key is the one that it knows: ssh-add -l"
    if "keyboard-interactive" in methods or "password" in methods:
        todo = "It wants a password or a code. Log in first and share that login: see docs/login.md"
    return Fault(f"the login was refused ({printable(methods)})", printable(found[1]), todo)


def _no_name(found: Match[str], _text: str) -> Fault:
    todo = "Check how it is spelt, and whether this computer is on line"
    what = f"this hostname cannot be resolved: {printable(found[2])}"
    return Fault(what, printable(found[1]), todo, passing=True)


def _unreachable(found: Match[str], _text: str) -> Fault:
    todo = "Check the network (a VPN?) and the name"
    what = f"port {found[2]} cannot be reached: {printable(found[3])}"
    return Fault(what, printable(found[1]), todo, passing=True)


def _cut(found: Match[str], _text: str) -> Fault:
    what = f"the connection was cut: {printable(found[0].strip())}"
    todo = "Try again; a machine that turns everybody away has said above why it does"
    return Fault(what, "ssh", todo, passing=True)


def _long_socket(_found: Match[str], _text: str) -> Fault:
    return Fault(
        "the path of the shared login's socket is too long",
        "ControlPath",
        "Choose a shorter one, such as ControlPath ~/.ssh/%C",
    )


def _unreadable(found: Match[str], _text: str) -> Fault:
    what = f"cannot read its configuration: {printable(found[0].strip())}"
    return Fault(what, "ssh", "Correct that line")


# Each stands at the beginning of a line: what a server has said comes further on in one.
_LOGIN: Sequence[tuple[str, Explain]] = (
    (_NOBODY, _nobody),
    (r"^(?:\S+ h|H)ost key for (\S+) has changed and you have requested strict", _changed),
    (r"^No \S+ host key is known for (\S+) and you have requested strict", _not_known),
    (r"^(?!debug)(?:\S.*|command-line) line \d+: Bad configuration option.*", _unreadable),
    (r"^Bad owner or permissions on .*", _unreadable),
    (r"^(?:unix_listener: .*too long|ControlPath.* too long)", _long_socket),
    (rf"^{_OPEN} administratively prohibited(?s:.*)^{_NOT_LED_ON}", _no_jump),
    (rf"^{_OPEN} (?:connect failed: )?(.+)\n(?s:.*)^{_NOT_LED_ON}", _not_reached),
    (r"^(\S+@\S+): Permission denied \(([^)]*)\)\.$", _denied),
    (r"^ssh: Could not resolve hostname (\S+): (.*)", _no_name),
    (r"^ssh: connect to host (\S+) port (\d+): (.*)", _unreachable),
    (r"^(?:kex_exchange_identification|Connection (?:closed|reset|timed out)|Timeout, ).*", _cut),
)


def _after(pattern: str, text: str) -> tuple[str, str]:
    """The kind and the fingerprint of the last key that the text names so."""
    found = re.findall(pattern, text, re.MULTILINE)
    kind, key = found[-1] if found else ("", "")
    return printable(kind), printable(key)


def _typed(words: Sequence[str]) -> str:
    """A command to type, in which no word can be more than a word."""
    return " ".join(shlex.quote(printable(word)) for word in words)


def _last_words(log: str) -> str:
    lines = [line for line in log.split("\n") if line and not line.startswith("debug")]
    return printable(lines[-1]) if lines else "no login within the time, and ssh does not say why"

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the path of a shared login's socket (ControlPath) tells where that login leads. Pure.

ssh takes whatever login it finds at that path. Two clusters may have a node of one name, behind
two gateways, and few paths name the gateway: `%C` does since OpenSSH 9.6, and only of ProxyJump.
"""

from __future__ import annotations

from typing import Callable, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import hops
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.config import Settings
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.options import split

Ask = Callable[[Sequence[str]], Settings]  # what ssh makes of the words behind its name

# Another value of each setting that decides where a login ends.
_ANOTHER = {
    "hostname": "HostName=another.invalid",
    "port": "Port=9",
    "user": "User=another",
}
_ANOTHER_JUMP = ("-o", "ProxyJump=another.invalid")


def may_lead_elsewhere(words: Sequence[str], ask: Ask) -> bool:
    """Whether a login at the path may be one to another node or account than these words lead to.

    What the person's own configuration says of the bare name holds for each login by that name.
    What the words add, another login need not have: then the path has to depend on it.
    """
    options, name = split(words)
    ours, plain = ask(words), ask([name])
    if not path(ours):
        return False
    added = [key for key in _ANOTHER if ours.get(key) != plain.get(key)]
    others: dict[str, Sequence[str]] = {key: ["-o", _ANOTHER[key], *words] for key in added}
    if _proxy(ours, _file(options), ask) != _proxy(plain, [], ask):
        if "proxycommand" in ours or "proxycommand" in plain:
            return True  # no token stands for it
        direct = [word for pair in hops.without_proxies(options) for word in pair if word]
        others["proxyjump"] = [*_ANOTHER_JUMP, *direct, words[-1]]
    return any(path(ask(other)) == path(ours) for other in others.values())


def path(found: Settings) -> str:
    """Where ssh looks for a login to share; empty when it shares none."""
    said = found.get("controlpath", ["none"])[0]
    return "" if said == "none" else said


def _file(options: Sequence[tuple[str, str]]) -> list[str]:
    """The file that ssh hands on to the ssh of a gateway."""
    return [word for pair in options if pair[0] == "-F" for word in pair]


def _proxy(found: Settings, file: Sequence[str], ask: Ask) -> object:
    """What lies before the host; the same gateway can be written in several forms."""
    jumps = found.get("proxyjump", ["none"])[0]
    if jumps == "none":
        return found.get("proxycommand", ["none"])
    logins = [ask([*file, *hops.parsed_jump(jump).words()]) for jump in jumps.split(",")]
    names = (*_ANOTHER, "proxyjump", "proxycommand")
    return [[login.get(key) for key in names] for login in logins]

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of the inventory a node is, of which only its own short name is known. Pure."""

from __future__ import annotations

from typing import Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables

_NAMES = ("inventory_hostname", "ansible_host", "ansible_ssh_host")


def name_of(hosts: Mapping[str, Variables], node: str) -> str:
    """The name in the inventory of the host that calls itself so; empty when there is none."""
    return next((name for name in sorted(hosts) if node in _short_names(hosts[name])), "")


def host_of(hosts: Mapping[str, Variables], server: Variables, asked: str) -> Variables:
    """The variables of the host that a server is on; none when the inventory has no such host.

    Args:
        hosts: the variables of every host, by the name in the inventory.
        server: what notebook_server returned.
        asked: the host that returned it; what it calls itself may stand in no inventory.
    """
    if server["state"] != "elsewhere" and not server.get("job"):
        return hosts[asked]
    label = str(server.get("relay") or server["host"])
    name = name_of(hosts, label)
    if name or not server.get("job"):
        return hosts[name] if name else {}
    return beside(hosts[asked], label)


def beside(known: Variables, node: str) -> dict[str, object]:
    """How a node is reached that no inventory names: as the one from which its job was submitted.

    What leads to that one leads to it, too; only the gateway has to know its name.
    """
    own = ("ansible_ssh_host", "ansible_port", "ansible_ssh_port")
    return {**{name: known[name] for name in known if name not in own}, "ansible_host": node}


def _short_names(variables: Variables) -> set[str]:
    """Without domains; an address stays what it is."""
    names = [str(variables.get(name, "")) for name in _NAMES]
    return {*names, *(name.split(".")[0] for name in names if not name[:1].isdigit())} - {""}

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of the inventory a node is, by its own short name; and whose it is. Pure."""

from __future__ import annotations

from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables, is_local

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


def of_one_person(hosts: Sequence[str], variables: Mapping[str, Variables], here: str) -> list[str]:
    """Those of these hosts that are for the person of one of them, in the same order.

    Nobody knows who a host without a user is for: where there is one, all are one person's.
    """
    if len(hosts) < 2:
        return list(hosts)
    people = {host: _person(variables[host]) for host in hosts}
    return [host for host in hosts if "" in people.values() or people[host] == people[here]]


def _person(variables: Variables) -> str:
    if is_local(variables):
        return ""
    return str(variables.get("ansible_user") or variables.get("ansible_ssh_user") or "")


def _short_names(variables: Variables) -> set[str]:
    """Without domains; an address stays what it is."""
    names = [str(variables.get(name, "")) for name in _NAMES]
    return {*names, *(name.split(".")[0] for name in names if not name[:1].isdigit())} - {""}

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the inventory says that its hosts are reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import (
    beside,
    name_of,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Way, is_local, way_to
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.login_name import login_name
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_options import (
    checks_host_keys,
    control_directory,
    resolved,
)


@dataclass(frozen=True)
class Hosts:
    """The hosts of a play, as one of its tasks sees them."""

    task_vars: Mapping[str, Any]
    gateway: str  # its name in the inventory; may be empty
    form: str
    keywords: Mapping[str, Any] = field(default_factory=dict)  # of the task: remote_user, port

    @property
    def here(self) -> str:
        """The host that the task is for."""
        return str(self.task_vars["inventory_hostname"])

    @property
    def played(self) -> list[str]:
        """Those that the play has left."""
        return list(self.task_vars.get("ansible_play_hosts", []))

    def variables(self, host: str) -> dict[str, Any]:
        """What decides how ssh reaches a host."""
        of_play = host in self.task_vars.get("ansible_play_hosts_all", [self.here])
        return resolved(self.task_vars["hostvars"][host], self.keywords if of_play else None)

    def control_directory(self, host: str) -> Path:
        """Where Ansible keeps its own logins to a host."""
        return control_directory(self.task_vars["hostvars"][host])

    def login_of_ansible(self, host: str) -> str:
        """Where our plays have Ansible keep its login to a host; nothing where others name it."""
        variables = self.task_vars["hostvars"][host]
        if variables.get("ansible_control_path") or not checks_host_keys(variables):
            return ""
        return str(self.control_directory(host) / login_name(variables, self.keywords))

    def gateway_variables(self) -> dict[str, Any] | None:
        """The same of the gateway, where the inventory has one."""
        return self.variables(self.gateway) if self.gateway else None

    def way(self, host: str, form: str = "", node: str = "") -> Way:
        """How to get to a host by ssh, or to a node that lies beside it."""
        dev = self.variables(host)
        dev = beside(dev, node) if node else dev
        if is_local(dev):
            what = "it is this computer: there is no way to go"
            todo = "Run this on your own computer, with an inventory that reaches the cluster."
            raise NotebookError(what, host, todo)
        return way_to({"host": host}, dev, self.gateway_variables(), form or self.form)

    def named(self, label: str) -> str | None:
        """The host of this play that has the name which a node gives itself."""
        return name_of({name: self.variables(name) for name in self.played}, label) or None

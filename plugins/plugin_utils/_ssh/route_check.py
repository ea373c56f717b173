# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host can be logged in to as it is said, found out before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import is_local, way_to
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import own_ssh
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_options import resolved


def way_problems(
    task_vars: Mapping[str, Any], tunnel: Mapping[str, Any] | None, by_ansible: bool
) -> list[str]:
    """One line for what is wrong; none where everything can be done.

    Args:
        task_vars: the variables of a task, as Ansible hands them to an action.
        tunnel: gateway and form of the tunnel that will lead to the host; None when none will.
        by_ansible: whether Ansible's own ssh is going to run commands there.
    """
    known = resolved(task_vars)
    try:
        if tunnel is not None and not is_local(known):
            gateway = _gateway(task_vars, str(tunnel.get("gateway") or ""))
            host = {"host": known["inventory_hostname"]}
            way_to(host, known, gateway, str(tunnel.get("form") or "jump"))
        reason = own_ssh.why_ansible_cannot(known) if by_ansible else None
    except NotebookError as error:
        return [str(error)]
    return [reason] if reason else []


def _gateway(task_vars: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    return resolved(task_vars["hostvars"][name]) if name else None

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter control_path."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

DOCUMENTATION = r"""
name: control_path
short_description: A name for the login that Ansible shares, of its own for each way to a host
version_added: 0.1.0
description:
  - Ansible keeps a login open for a while, and names it after host, port and user. Hosts of two
    clusters may have one name, and be told apart by the options of ssh only, such as the gateway to
    jump through; what is meant for the second would go to the first. Here, these options count.
  - The result is meant for the variable C(ansible_control_path).
options:
  _input:
    description: The variables of the host, such as C(hostvars[inventory_hostname]).
    type: dict
    required: true
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Two inventories with a dev1 can be used one right after the other
  hosts: hpcc_dev
  vars:
    ansible_control_path: "{{ hostvars[inventory_hostname] | hpcc.notebook.control_path }}"
  tasks:
    - name: See which one it is
      ansible.builtin.ping:
"""

RETURN = r"""
_value:
  description: What the inventory says, or a file in the directory that Ansible has for it.
  type: str
"""

_OPTIONS = ("ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args")
_NAMES = (
    "inventory_hostname", "ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port",
    "ansible_user", "ansible_ssh_user",
)  # fmt: skip


def control_path(variables: Mapping[str, Any]) -> str:
    """As long as the name that Ansible itself would take: a socket's path has to be short."""
    given = variables.get("ansible_control_path")
    if given:
        return str(given)
    words = "\n".join(str(variables.get(name, "")) for name in (*_NAMES, *_OPTIONS))
    return f"%(directory)s/{hashlib.sha256(words.encode()).hexdigest()[:10]}"


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filters by name."""
        return {"control_path": control_path}

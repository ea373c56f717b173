# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter control_path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DOCUMENTATION = r"""
name: control_path
short_description: A name for the login that Ansible shares, of its own for each way to a host
version_added: 0.1.0
description:
  - Ansible keeps a login open for a while, and names it after host, port and user. Hosts of two
    clusters may have one name, and be told apart by the options of ssh only, such as the gateway to
    jump through; what is meant for the second would go to the first. Here, these options count,
    wherever they are set (inventory, C(ansible.cfg), environment, command line).
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


def control_path(*arguments: Any, **options: Any) -> Any:
    """Imported when it is used: each task reads all filters, to find the login that it shares."""
    from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters import control_path as used

    return used.control_path(*arguments, **options)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"control_path": control_path}

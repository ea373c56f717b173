# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter tunnel_command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DOCUMENTATION = r"""
name: tunnel_command
short_description: The ssh command that leads to a notebook server
version_added: 0.1.0
description:
  - Builds one line for a shell, from what M(hpcc.notebook.notebook_server) returned and from the
    variables by which Ansible reaches the host. What C(ansible.cfg), the environment or the command
    line say to Ansible's ssh counts, too.
positional: dev, gateway
options:
  _input:
    description: What M(hpcc.notebook.notebook_server) returned.
    type: dict
    required: true
  dev:
    description: Variables of the host that the server runs on.
    type: dict
    required: true
  gateway:
    description: Variables of the machine that everybody logs into; ssh jumps through it if need be.
    type: dict
  local_port:
    description: The port on the person's own computer.
    type: int
    default: 8888
  form:
    description:
      - V(jump) leaves nothing to hijack on the gateway, and neither does V(relay), which is for
        gateways that forbid jumping. V(two_hop) is for nodes that only the gateway can log in to.
    type: str
    choices: [jump, two_hop, relay]
    default: jump
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Say how to reach the server
  hpcc.notebook.announce:
    lines:
      - "{{ nbserver | hpcc.notebook.tunnel_command(hostvars[inventory_hostname]) }}"
"""

RETURN = r"""
_value:
  description: The command.
  type: str
"""


def tunnel_command(*arguments: Any, **options: Any) -> Any:
    """Imported when it is used: each task reads all filters, to find the login that it shares."""
    from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters import (
        tunnel_command as used,
    )

    return used.tunnel_command(*arguments, **options)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"tunnel_command": tunnel_command}

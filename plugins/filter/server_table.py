# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter server_table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DOCUMENTATION = r"""
name: server_table
short_description: Where notebook servers run, as a table
version_added: 0.1.0
description:
  - Lines for a person, from what M(hpcc.notebook.notebook_server_info) returned on every host.
  - A host that did not answer is shown with what others have recorded of it.
positional: hosts, gateway, local_port, form
options:
  _input:
    description: The names of the hosts that were asked.
    type: list
    elements: str
    required: true
  hosts:
    description:
      - The variables of every host, such as C(hostvars), and among them C(nbserver_looked),
        which the module returned, with what it found of a job, or C(nbserver_reached) and
        C(nbserver_installation), which say why it was not asked.
    type: dict
    required: true
  gateway:
    description: Variables of the machine that everybody logs into.
    type: dict
  local_port:
    description: The port on the person's own computer; 8888 by default.
    type: int
  form:
    description: As for P(hpcc.notebook.tunnel_command#filter); V(jump) by default.
    type: str
    choices: [jump, two_hop, relay]
seealso:
  - plugin: hpcc.notebook.tunnel_command
    plugin_type: filter
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Show the one host that was asked
  hpcc.notebook.announce:
    lines: "{{ [inventory_hostname] | hpcc.notebook.server_table(hostvars) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""


def server_table(*arguments: Any, **options: Any) -> Any:
    """Imported when it is used: each task reads all filters, to find the login that it shares."""
    from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters import server_table as used

    return used.server_table(*arguments, **options)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"server_table": server_table}

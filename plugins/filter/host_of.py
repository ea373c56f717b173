# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter host_of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DOCUMENTATION = r"""
name: host_of
short_description: The variables of the host that a notebook server is on
version_added: 0.1.0
description:
  - A server may be one of another host that shares the home; its host is found by its short name.
positional: server, asked
options:
  _input:
    description: The variables of every host, such as C(hostvars).
    type: dict
    required: true
  server:
    description: What M(hpcc.notebook.notebook_server) returned.
    type: dict
    required: true
  asked:
    description: The name in the inventory of the host that returned it.
    type: str
    required: true
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Say where the server is reached
  ansible.builtin.debug:
    msg: "{{ (hostvars | hpcc.notebook.host_of(server, inventory_hostname)).ansible_host }}"
"""

RETURN = r"""
_value:
  description: The variables; empty when the inventory has no such host.
  type: dict
"""


def host_of(*arguments: Any, **options: Any) -> Any:
    """Imported when it is used: each task reads all filters, to find the login that it shares."""
    from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters import host_of as used

    return used.host_of(*arguments, **options)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"host_of": host_of}

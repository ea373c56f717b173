# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter doctor_document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DOCUMENTATION = r"""
name: doctor_document
short_description: What the doctor found, for a program
version_added: 0.1.0
description:
  - One value for all hosts, from what M(hpcc.notebook.doctor) returned for each.
positional: hosts
options:
  _input:
    description: The names of the hosts that were looked at.
    type: list
    elements: str
    required: true
  hosts:
    description:
      - The variables of every host, such as C(hostvars), and among them C(nbserver_examined), which
        the module returned, also when it failed.
    type: dict
    required: true
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Show whether this host is well
  ansible.builtin.debug:
    msg: "{{ ([inventory_hostname] | hpcc.notebook.doctor_document(hostvars)).healthy }}"
"""

RETURN = r"""
_value:
  description:
    - C(healthy), whether nothing is wrong anywhere, and C(hosts), which holds for each C(host)
      whether it is C(healthy), C(counts) by level, C(checks) as M(hpcc.notebook.doctor) returns
      them, and in C(message) why it failed.
  type: dict
"""


def doctor_document(*arguments: Any, **options: Any) -> Any:
    """Imported when it is used: each task reads all filters, to find the login that it shares."""
    from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters import (
        doctor_document as used,
    )

    return used.doctor_document(*arguments, **options)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"doctor_document": doctor_document}

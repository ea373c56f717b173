# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter trust."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.hpcc.notebook.plugins.module_utils.profile import trust as trusting
from ansible_collections.hpcc.notebook.plugins.module_utils.ssh.hops import Variables
from ansible_collections.hpcc.notebook.plugins.plugin_utils.filter_errors import as_filter
from ansible_collections.hpcc.notebook.plugins.plugin_utils.ssh_options import resolved

DOCUMENTATION = r"""
name: trust
short_description: How to trust the authority of a notebook's certificate
version_added: 0.1.0
description:
  - Lines for a person, from what M(hpcc.notebook.notebook_certificate) returned; none when it
    changed nothing.
positional: dev, check
options:
  _input:
    description: What M(hpcc.notebook.notebook_certificate) returned.
    type: dict
    required: true
  dev:
    description: Variables of the host that the profile lies on.
    type: dict
    required: true
  check:
    description: Whether the task was run in check mode.
    type: bool
    default: false
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Say how to trust the authority
  hpcc.notebook.announce:
    lines: "{{ certificate | hpcc.notebook.trust(hostvars[inventory_hostname]) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""


@as_filter
def trust(certificate: Variables, dev: Variables, check: bool = False) -> list[str]:
    """What to type, by whatever makes Ansible reach the host."""
    return trusting.lines(certificate, resolved(dev), check)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Filters by name."""
        return {"trust": trust}

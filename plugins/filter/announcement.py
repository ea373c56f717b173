# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter announcement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DOCUMENTATION = r"""
name: announcement
short_description: What to say about a notebook server
version_added: 0.1.0
description:
  - Lines for a person, from what M(hpcc.notebook.notebook_server) returned.
positional: dev, gateway, local_port, form, check
options:
  _input:
    description: What M(hpcc.notebook.notebook_server) returned.
    type: dict
    required: true
  dev:
    description: Variables of the host that the server runs on; needed when it was to be started.
    type: dict
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
  check:
    description: Whether the task was run in check mode.
    type: bool
    default: false
seealso:
  - plugin: hpcc.notebook.tunnel_command
    plugin_type: filter
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Say whether there was a server to stop
  hpcc.notebook.announce:
    lines: "{{ nbserver | hpcc.notebook.announcement(check=ansible_check_mode) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""


def announcement(*arguments: Any, **options: Any) -> Any:
    """Imported when it is used: each task reads all filters, to find the login that it shares."""
    from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters import announcement as used

    return used.announcement(*arguments, **options)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"announcement": announcement}

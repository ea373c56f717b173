# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of actions that log in to a node by themselves."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible looks for."""

    DOCUMENTATION = r"""
options:
  profile:
    description: The name of the profile.
    type: str
    default: nbserver
  gateway:
    description: The inventory name of the machine that everybody logs into; may be empty.
    type: str
    default: ''
  form:
    description:
      - How the gateway is passed. V(relay) is for gateways that forbid jumping, V(two_hop) for
        nodes that only the gateway can log in to.
    type: str
    choices: [jump, two_hop, relay]
    default: jump
  local_port:
    description: The port on this computer.
    type: int
    default: 8888
"""

#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/reach.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: reach
short_description: Say whether a host can be reached
version_added: 0.1.0
description:
  - Connects to the host and says whether that worked. A host that does not answer is no failure.
  - Needs no Python on the host.
options: {}
extends_documentation_fragment: [hpcc.notebook.controller]
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Ask which nodes answer
  hpcc.notebook.reach:
  register: node
"""

RETURN = r"""
reached:
  description: Whether the host answered.
  returned: success
  type: bool
  sample: false
msg:
  description: What keeps this computer from the host, and what to do.
  returned: when it did not
  type: str
  sample: "dev1: port 22 cannot be reached: Connection timed out. Check the network (a VPN?)"
"""

#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/confirm_removal.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: confirm_removal
short_description: Show what teardown removes, and ask
version_added: 0.1.0
description:
  - Looks for what this collection made on the host, prints it, and fails unless that is confirmed.
  - Removes nothing itself, and works on hosts without any Python.
options:
  profile:
    description: Name of the profile.
    type: str
    default: nbserver
  modulefile:
    description: Path of the modulefile without the ending that Lmod wants.
    type: str
    default: ~/modulefiles/anaconda
  prefix:
    description: Path of the installation.
    type: str
    default: ~/anaconda
  parallel:
    description: Name of the profile of the role C(parallel).
    type: str
    default: cluster
  parts:
    description:
      - What is to go, of V(server), V(profile), V(parallel), V(modulefile) and V(installation).
      - The server is stopped whenever its profile or its installation goes.
    type: list
    elements: str
    default: [server, profile, parallel, modulefile, installation]
  confirmed:
    description: Whether the person has said yes already, so that nobody is asked.
    type: bool
    default: false
extends_documentation_fragment: [hpcc.notebook.controller]
attributes:
  check_mode:
    support: full
    description: Shows the list and asks nothing.
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Show what would be removed, and ask
  hpcc.notebook.confirm_removal:
    parts: [server, profile]
  register: teardown
"""

RETURN = r"""
remove:
  description: The parts that are there and are to go, in the order of their removal.
  returned: success
  type: list
  elements: str
  sample: [server, profile, parallel, modulefile, installation]
"""

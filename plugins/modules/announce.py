#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: announce
short_description: Print lines for a person
version_added: 0.1.0
description:
  - Prints lines as they are, without the quotes and escapes of C(ansible.builtin.debug), so that a
    command among them can be pasted.
options:
  lines:
    description: What to print.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
    description: Prints in check mode, too.
  diff_mode:
    support: none
    description: Changes nothing.
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Say what to do next
  hpcc.notebook.announce:
    lines:
      - "On your own computer:"
      - "    ssh alice@hpcc.msu.edu"
"""

RETURN = r""" # """

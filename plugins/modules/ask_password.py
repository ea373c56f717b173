#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/ask_password.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ask_password
short_description: Ask for the password of a notebook server
version_added: 0.1.0
description:
  - Asks for a password twice, hidden, on the terminal of the controller, unless the host has the
    hash of one already.
  - Asks once in a run; a second task that registers the same variable gets the first answer.
  - Without a terminal it fails and names the variable to set.
  - Needs no Python on the host.
options:
  profile:
    description: The name of the profile.
    type: str
    default: nbserver
  again:
    description: Whether to ask although the host has one.
    type: bool
    default: false
author:
  - The hpcc.notebook maintainers (@hpcc)
extends_documentation_fragment: [hpcc.notebook.controller]
attributes:
  check_mode:
    support: full
    description: Asks nothing; gives a random password where one would be asked for.
"""

EXAMPLES = r"""
- name: Ask for the password before the long part begins
  hpcc.notebook.ask_password:
    profile: nbserver
  register: asked

- name: Store its hash
  hpcc.notebook.notebook_password:
    profile: nbserver
    password: "{{ asked.password | default(omit) }}"
"""

RETURN = r"""
stored:
  description: Whether the host has a hash already. The whole result is hidden from every output.
  returned: success
  type: bool
  sample: false
password:
  description: What was typed.
  returned: when it was asked for
  type: str
  sample: "********"
"""

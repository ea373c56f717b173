#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/modulefile.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: modulefile
short_description: A modulefile for a Python distribution
version_added: 0.1.0
description:
  - Writes a modulefile for Lmod or for Tcl Modules.
  - Loading it puts the distribution in front.
  - Asks the host by one command when nothing is to do, and works on hosts without any Python.
  - Fails before it writes where another module would hide this one, or would be hidden by it.
  - A modulefile of somebody else in the same place is kept as a copy whose name ends in C(~).
options:
  name:
    description: Name of the module, such as V(anaconda) or V(miniforge/26.3.2-3).
    type: str
    default: anaconda
  dir:
    description: Directory of the modulefiles, for C(module use).
    type: str
    default: ~/modulefiles
  prefix:
    description:
      - Path of the distribution.
      - One that begins with C(~/) follows the home directory of whoever loads the module.
    type: str
    default: ~/anaconda
  description:
    description: Text for C(module help) and C(module whatis).
    type: str
    default: Python from a conda distribution
  syntax:
    description:
      - Language of the modulefile.
      - V(auto) writes Tcl where the site has Tcl Modules without Lmod, else Lua.
    type: str
    choices: [auto, lua, tcl]
    default: auto
  library_paths:
    description: Whether the module also sets C(LD_LIBRARY_PATH), C(LIBRARY_PATH) and C(INCLUDE).
    type: bool
    default: false
  state:
    description: V(absent) removes what an earlier run wrote, and no file of anybody else.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    support: full
    description: Refuses what a real run would refuse.
  diff_mode:
    support: full
    description: The same in a check run and in a real one.
  action:
    support: full
    description: Runs on the controller.
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Write a modulefile for a shared installation
  hpcc.notebook.modulefile:
    name: miniforge/26.3
    dir: /opt/lab/modulefiles
    prefix: /opt/lab/miniforge
"""

RETURN = r"""
path:
  description: The modulefile.
  returned: success
  type: str
  sample: /home/u/modulefiles/anaconda.lua
syntax:
  description: Its language.
  returned: success
  type: str
  sample: lua
reason:
  description: Why something changes; empty when nothing does.
  returned: success
  type: str
  sample: missing
"""

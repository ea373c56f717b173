# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a profile's own files."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible looks for."""

    DOCUMENTATION = r"""
options:
  root_dir:
    description:
      - Where the server begins to look for notebooks; absolute, or beginning with V(~/).
      - Created with mode 0700 when it is missing, and never removed.
    type: str
    default: "~"
  options:
    description:
      - More options of Jupyter, as C(Class.trait) and a plain value.
      - Options that this collection sets itself, or that can open the server to others, are
        refused. The others are tried by the installed Jupyter before they become live.
    type: dict
    default: {}
  python:
    description:
      - The Python that runs the kernels; when not set, the one that runs this module. One that is
        new to the profile has to run a kernel first.
    type: str
  debugger:
    description: Whether JupyterLab's debugger works. Through its port, every user can run code.
    type: bool
    default: false
"""

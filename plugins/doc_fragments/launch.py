# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a server that is started, on a node or in a job."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible looks for."""

    DOCUMENTATION = r"""
options:
  profile:
    description: The profile, as made by M(hpcc.notebook.ipython_profile).
    type: str
    default: nbserver
  frontend:
    description: What people see. V(notebook) is Notebook 7.
    type: str
    choices: [lab, notebook, nbclassic] # front ends: make docs
    default: lab
  modules:
    description:
      - Modules of the site that are loaded before the scheduler is asked and before the
        server, for it and its kernels, such as V(gcc) and V(cuda/12.4).
    type: list
    elements: str
    default: []
  kernels_from_environments:
    description:
      - Whether the environments of the person that have ipykernel show up as kernels. They are
        looked for whenever a page asks for the kernels.
    type: bool
    default: false
"""

#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/doctor.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: doctor
short_description: Look at everything from this computer to a notebook's kernel
version_added: 0.1.0
description:
  - Looks at ssh and its keys, the way over the gateway, what the node allows, its room and limits,
    the module system, the installation, the profile and the server; prints how many are well, and a
    line for each with what to type, place by place. Fails when something does not work.
  - Repairs nothing, and needs no Python on the host. One login serves for all of it; while a job
    serves, another one looks at its compute node.
options:
  prefix:
    description: Path of the Python distribution that serves.
    type: str
    default: ~/anaconda
  owner:
    description: As for M(hpcc.notebook.conda_distribution).
    type: str
    default: ""
  modulefile:
    description: The name of its module.
    type: str
    default: anaconda
  modulefile_dir:
    description: Directory of the modulefiles.
    type: str
    default: ~/modulefiles
  transport:
    description: Where the server is meant to listen, when none runs.
    type: str
    choices: [socket, tcp]
    default: socket
  port:
    description: The port of the node, with O(transport=tcp).
    type: int
    default: 8888
  where:
    description: Where the server is meant to run. With V(job), the scheduler is looked at, too.
    type: str
    choices: [node, job]
    default: node
  modules:
    description: Modules that are loaded before the scheduler's commands are looked for.
    type: list
    elements: str
    default: []
  only:
    description:
      - Which findings are printed. With V(wrong), those of what does not work, and the sum. All are
        returned.
    type: str
    choices: [all, wrong]
    default: all
extends_documentation_fragment: [hpcc.notebook.controller, hpcc.notebook.reaching]
attributes:
  check_mode:
    support: full
    description: Does the same, which changes nothing.
seealso:
  - module: hpcc.notebook.connect
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Look at everything
  hpcc.notebook.doctor:
    gateway: hpcc.msu.edu
"""

RETURN = r"""
findings:
  description: What was found.
  returned: when everything was looked at, also when it fails because something is wrong
  type: list
  elements: dict
  contains:
    level:
      description: V(ok), V(warning) or V(wrong).
      type: str
      sample: ok
    place:
      description:
        - Where that is; V(this computer), V(the way there), V(the node) or V(the compute node).
      type: str
      sample: the node
    subject:
      description: What was looked at.
      type: str
      sample: certificate
    what:
      description: How it is.
      type: str
      sample: 364 days left
    todo:
      description: What to type, when something is to be done.
      type: str
      sample: ansible-playbook hpcc.notebook.setup
"""

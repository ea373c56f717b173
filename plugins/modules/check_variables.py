#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/check_variables.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: check_variables
short_description: Check variables before anything is changed
version_added: 0.1.0
description:
  - Refuses values that would go wrong later, all of them at once, one line each.
  - In a role, also refuses variables that carry the role's prefix but are not declared in its
    C(meta/argument_specs.yml), such as a misspelt C(nbserver_profile_pasword).
  - Variables without a rule are held to the type and the choices that the role declares.
  - Runs on the controller only and never contacts the host.
options:
  rules:
    description:
      - The name of a variable, and the name of its rule or the list of values to choose from.
      - The rules are those of C(plugins/module_utils/_rules/rules.py).
      - A variable that is not defined follows every rule.
    type: dict
  relations:
    description:
      - The name of a relation, and the variables that it holds between, in its order.
      - The relations are those of C(plugins/module_utils/_validation/relations.py).
    type: dict
  also:
    description:
      - Names that carry the prefix and are known, such as registered results.
      - V(*) stands for any characters.
    type: list
    elements: str
  roles:
    description:
      - Roles beside this one, whose variables carry its prefix, too, and are known by their
        C(meta/argument_specs.yml).
    type: list
    elements: str
  own_account:
    description:
      - Also refuse C(become), wherever it is asked for.
      - What a role makes for one person belongs to the account that logs in.
    type: bool
    default: false
  prefix:
    description:
      - The prefix whose variables have to be known.
      - In a role, by default, the name of the role and an underscore; elsewhere, none.
    type: str
  tunnel:
    description:
      - Also refuse what the command of a tunnel to the host could not be made of.
      - C(gateway) is the name of the gateway in the inventory, which may be empty, and C(form) one
        of those of P(hpcc.notebook.tunnel_command#filter).
    type: dict
  by_ansible:
    description:
      - Whether Ansible will run commands on the host. Then what would keep them from running there
        is refused, such as C(RequestTTY force) in the configuration of ssh.
    type: bool
    default: true
author:
  - The hpcc.notebook maintainers (@hpcc)
extends_documentation_fragment: [hpcc.notebook.controller]
attributes:
  check_mode:
    support: full
    description: Does the same in check mode.
"""

EXAMPLES = r"""
- name: Check the variables of this role
  hpcc.notebook.check_variables:
    rules:
      anaconda_prefix: prefix
      anaconda_sha256: sha256
    relations:
      url_with_checksum: [anaconda_url, anaconda_sha256]
    also: [anaconda_installation]

- name: Check the variables of a playbook
  hpcc.notebook.check_variables:
    rules:
      nbserver_port: port
      nbserver_transport: [socket, tcp]
"""

RETURN = r"""
msg:
  description: One line for each variable that is refused.
  returned: failure
  type: str
  sample: "anaconda_prefix: must be an absolute path or begin with ~/, got 'relative/dir'."
"""

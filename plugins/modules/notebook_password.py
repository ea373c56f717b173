#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password of a notebook server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: notebook_password
short_description: Set the password of a notebook server
version_added: 0.1.0
description:
  - Keeps the argon2id hash of the password in C(jupyter_server_config.json) of the profile, where
    C(jupyter server password) keeps it, too. Everything else in that file is left as it is.
  - The stored hash is checked against the password, so that an unchanged password changes nothing.
  - A hash that is too weak, or of an older kind, is replaced.
  - With a new password the secret that signs cookies is replaced, too, which ends all sessions at
    the next start of the server.
author:
  - The hpcc.notebook maintainers (@hpcc)
extends_documentation_fragment: hpcc.notebook.password
requirements:
  - cryptography >= 44 in the Python that runs the module, except to decide on a new profile
options:
  profile:
    description: The name of the profile.
    type: str
    default: nbserver
  state:
    description: Whether a password is stored.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Decides everything and changes nothing.
    support: full
  diff_mode:
    description: Shows that something changes, never what.
    support: full
"""

EXAMPLES = r"""
- name: Set the password from a vault
  hpcc.notebook.notebook_password:
    profile: nbserver
    password: "{{ vault_notebook_password }}"

- name: Make sure that a password is stored
  hpcc.notebook.notebook_password:
    profile: nbserver
"""

RETURN = r"""
path:
  description: The file that holds the hash.
  returned: success
  type: str
  sample: /home/alice/.ipython/profile_nbserver/jupyter_server_config.json
reason:
  description: Why the hash was replaced; empty when it was not.
  returned: success
  type: str
  sample: the password is another one
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._options.notebook_password import (
    INTERFACE,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.password_resource import (
    decide,
)


def main() -> None:
    """Run the module."""
    resource.run(AnsibleModule(**INTERFACE, supports_check_mode=True), decide)


if __name__ == "__main__":
    main()

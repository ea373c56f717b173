#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a notebook server needs before it can start, in one execution on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: notebook_profile
short_description: Prepare the profile, the certificate and the password of a notebook server
version_added: 0.1.0
description:
  - Does what M(hpcc.notebook.ipython_profile), M(hpcc.notebook.notebook_certificate) and
    M(hpcc.notebook.notebook_password) do, by the same code, in one execution on the host.
  - Decides on all three before it changes anything. For each one that changes, it prints why.
author:
  - The hpcc.notebook maintainers (@hpcc)
requirements:
  - cryptography >= 44 in the Python that runs the module, except to decide on a new profile
extends_documentation_fragment:
  - hpcc.notebook.profile_files
  - hpcc.notebook.certificate
  - hpcc.notebook.password
options:
  name:
    description: The name of the profile.
    type: str
    default: nbserver
  state:
    description:
      - Whether the profile exists.
      - V(absent) removes what the three modules have made, and nothing that a person or a program
        has put there since. It refuses while a server is recorded in the profile.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Decides everything and changes nothing.
    support: full
  diff_mode:
    description: The same in check mode and in a real run; never shows a secret.
    support: full
"""

EXAMPLES = r"""
- name: Prepare a profile, and let browsers be told to trust its certificate
  hpcc.notebook.notebook_profile:
    name: nbserver
    root_dir: ~/notebooks
    authority: true
    password: "{{ vault_notebook_password }}"
"""

RETURN = r"""
reason:
  description: Why something changed; empty when nothing did.
  returned: success
  type: str
  sample: "certificate: it expires in 12 days"
profile:
  description: RV(ignore:changed) and what M(hpcc.notebook.ipython_profile) returns.
  returned: success
  type: dict
certificate:
  description: RV(ignore:changed) and what M(hpcc.notebook.notebook_certificate) returns.
  returned: with O(state=present)
  type: dict
password:
  description: RV(ignore:changed) and what M(hpcc.notebook.notebook_password) returns.
  returned: with O(state=present)
  type: dict
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._options.notebook_profile import (
    INTERFACE,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    certificate_resource,
    password_resource,
    profile_resource,
)

RESOURCES = {
    "profile": profile_resource,
    "certificate": certificate_resource,
    "password": password_resource,
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(**INTERFACE, supports_check_mode=True)
    module.params["profile"] = module.params["name"]
    # What is removed with the profile is the profile's matter.
    names = list(RESOURCES) if module.params["state"] == "present" else ["profile"]
    resource.run_together(module, {name: RESOURCES[name].decide for name in names})


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The profile of a notebook server: its directories, configuration, kernel and API token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipython_profile
short_description: Create the IPython profile of a notebook server
version_added: 0.1.0
description:
  - Creates C(~/.ipython/profile_<name>) as C(ipython profile create) does, and in it the
    configuration of the notebook server, the kernel that runs under the profile, and the token
    with which programs reach the server.
  - Everything is made with mode 0700 (directories) and 0600 (files) from the first moment.
  - C(ipython_config.py) and C(ipython_kernel_config.py) are begun, and then belong to the person.
  - Nothing of the person's own C(~/.jupyter) is read or written.
author:
  - The hpcc.notebook maintainers (@hpcc)
extends_documentation_fragment: hpcc.notebook.profile_files
options:
  name:
    description: The name of the profile.
    type: str
    default: nbserver
  state:
    description:
      - Whether the profile exists.
      - V(absent) removes what this module has made, and nothing that a person or a program has
        put there since. It refuses while a server is recorded in the profile.
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
- name: Create the profile
  hpcc.notebook.ipython_profile:
    name: nbserver
    root_dir: ~/notebooks
    options:
      MappingKernelManager.cull_idle_timeout: 86400
"""

RETURN = r"""
path:
  description: The directory of the profile.
  returned: success
  type: str
  sample: /home/alice/.ipython/profile_nbserver
reason:
  description: Why something changed; empty when nothing did.
  returned: success
  type: str
  sample: "security: mode 0755; jupyter_server_config.py: content differs"
kept:
  description: With O(state=absent), what is left in the profile because it is not ours.
  returned: success
  type: list
  elements: str
  sample: [db, startup]
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._options.ipython_profile import (
    INTERFACE,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.profile_resource import (
    decide,
)


def main() -> None:
    """Run the module."""
    resource.run(AnsibleModule(**INTERFACE, supports_check_mode=True), decide)


if __name__ == "__main__":
    main()

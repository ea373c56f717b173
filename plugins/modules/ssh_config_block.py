#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_config_block
short_description: Give the node of a notebook server, and the tunnel to it, short names for ssh
version_added: 0.1.0
description:
  - Keeps a block between marks in the configuration of ssh. With it, C(ssh nbserver) logs in to the
    node of the server, as do C(sftp), C(rsync) and editors, and C(ssh nbserver-tunnel) does what
    the long command does. Nothing else in the file is touched.
  - C(ssh -G) says what has to stand in the block, and confirms it before the file is replaced.
  - The file is replaced as a whole or not at all, with mode 0600; where it is a link, what it
    leads to is replaced.
options:
  name:
    description: The name to type behind C(ssh). The tunnel has the same with C(-tunnel) behind it.
    type: str
    default: nbserver
  state:
    description: Whether the block is there.
    type: str
    choices: [present, absent]
    default: present
  command:
    description:
      - The command of the tunnel, from the filter P(hpcc.notebook.tunnel_command#filter).
      - Required with O(state=present). A tunnel of two hops cannot be expressed.
    type: str
  path:
    description: The configuration of ssh.
    type: str
    default: ~/.ssh/config
attributes:
  check_mode:
    support: full
    description: Predicts without changing anything.
  diff_mode:
    support: full
    description: Shows what would change in the file.
seealso:
  - module: hpcc.notebook.connect
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Make `ssh nbserver` lead to the server's node, and `ssh nbserver-tunnel` open the tunnel
  hpcc.notebook.ssh_config_block:
    command: "{{ server | hpcc.notebook.tunnel_command(hostvars[inventory_hostname]) }}"
  delegate_to: localhost

- name: Forget about it
  hpcc.notebook.ssh_config_block:
    state: absent
  delegate_to: localhost
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /home/alice/.ssh/config
name:
  description: The name to type behind C(ssh).
  returned: success
  type: str
  sample: nbserver
reason:
  description: Why something was changed; empty when nothing was.
  returned: success
  type: str
  sample: the block is missing
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common.resource import run
from ansible_collections.hpcc.notebook.plugins.module_utils._options.ssh_config_block import (
    INTERFACE,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.config_file import decide


def main() -> None:
    """Run as an Ansible module."""
    run(AnsibleModule(**INTERFACE, supports_check_mode=True), decide)


if __name__ == "__main__":
    main()

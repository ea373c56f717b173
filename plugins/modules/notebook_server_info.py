#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notebook_server_info
short_description: Look at the notebook servers of a profile
version_added: 0.1.0
description:
  - Describes the server of this host, after asking it, and repeats what is recorded of those on
    other hosts that share the home.
  - Reads only. Whether a process of another host lives cannot be known from here, so it is not
    judged, and its record stays.
options:
  profile:
    description: The profile, as made by M(hpcc.notebook.ipython_profile).
    type: str
    default: nbserver
  session:
    description: Name of the tmux session; the name of the profile by default.
    type: str
  ask_scheduler:
    description:
      - Where a job was submitted for the profile, also ask its scheduler, as
        M(hpcc.notebook.notebook_job) does with C(state=found).
    type: bool
    default: false
  modules:
    description: Modules that are loaded before the scheduler is asked.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: none
    description: Changes nothing.
seealso:
  - module: hpcc.notebook.notebook_server
  - plugin: hpcc.notebook.server_table
    plugin_type: filter
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Look at what runs
  hpcc.notebook.notebook_server_info:
  vars:
    ansible_python_interpreter: ~/anaconda/bin/python
  register: looked
"""

RETURN = r"""
host:
  description: Short name of the host that was asked.
  returned: success
  type: str
  sample: dev-intel10
profile:
  description: Name of the profile.
  returned: success
  type: str
  sample: nbserver
certificate_days:
  description: For how many whole days the profile's certificate is valid; nothing without one.
  returned: success
  type: int
  sample: 364
found_job:
  description:
    - What M(hpcc.notebook.notebook_job) found; with C(failed) and C(msg) where it could not ask.
  returned: with O(ask_scheduler=true), where a job was submitted
  type: dict
damaged:
  description:
    - Records that no start has written, and what is wrong with them.
    - The node-local directory, when somebody else has taken its name.
  returned: success
  type: list
  elements: str
  sample: []
home_used:
  description: Bytes that the person has at home, where C(quota) or C(lfs quota) tells of a quota.
  returned: where there is a quota
  type: int
home_limit:
  description: Bytes that the quota allows; V(0) where it limits files only.
  returned: where there is a quota
  type: int
home_files: {description: How many files these are, returned: where there is a quota, type: int}
home_files_limit:
  description: How many the quota allows; V(0) for any number.
  returned: where there is a quota
  type: int
servers:
  description:
    - The server of this host first, even when there is none; then those that other hosts recorded.
    - C(kernels) and C(last_activity) are there when it runs and answers, memory and CPU time when
      it runs.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: Short name of its host.
      type: str
    seen:
      description: Whether it was looked at, or its record only repeated.
      type: bool
    user:
      description: Login name that it runs as.
      type: str
    state:
      description:
        - Of a server that was looked at, C(running), C(starting), C(silent) when it does not
          answer, C(session lost), C(server lost), C(dead), C(rebooted) or C(stopped).
      type: str
    notes:
      description: What a person should know or do.
      type: list
      elements: str
    since:
      description: When it was started, in UTC.
      type: str
    frontend:
      description: What people see.
      type: str
    version:
      description: Front end and version.
      type: str
    serves:
      description: All that it was asked to serve.
      type: str
    session:
      description: Name of the tmux session.
      type: str
    transport:
      description: Where it listens.
      type: str
    socket:
      description: Path of its socket.
      type: str
    gateway_socket:
      description: Path on the gateway that the form V(two_hop) of the tunnel uses.
      type: str
    port:
      description: Its port of 127.0.0.1, over TCP.
      type: int
    prefix:
      description: The generation of the installation that it runs from; empty in old records.
      type: str
    pid:
      description: Its process.
      type: int
    kernels:
      description: How many kernels it has.
      type: int
    last_activity:
      description: When it was last used, in UTC.
      type: str
    memory:
      description: Bytes that it and its kernels occupy.
      type: int
    memory_used:
      description: Bytes that count against C(memory_limit), also those of other processes.
      type: int
    memory_limit:
      description: Bytes that the tightest cgroup above it allows; V(0) for no limit.
      type: int
    cpu_used:
      description:
        - Seconds of CPU time of that of its processes which is nearest to the limit; V(0) where
          there is none.
      type: int
    cpu_limit:
      description:
        - Seconds of CPU time after which a process is ended, as C(ulimit -S -t) or the site says.
      type: int
    cpu_hard:
      description: The same as C(ulimit -H -t) says, up to which the other can be raised.
      type: int
    certificate_sha256:
      description: Fingerprint of the certificate that it shows.
      type: str
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._options.notebook_server_info import (
    INTERFACE,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import require
from ansible_collections.hpcc.notebook.plugins.module_utils._server.info import look


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(**INTERFACE, supports_check_mode=True)
    profile = module.params["profile"]
    session = module.params["session"] or profile
    try:
        require("profile", "profile_name", profile)
        require("session", "session_name", session)
        found = look(profile, session)
    except NotebookError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notebook_server
short_description: Start and stop the notebook server of a profile
version_added: 0.1.0
description:
  - Starts JupyterLab, Notebook 7 or nbclassic in a tmux session on this host, from the Python
    installation that runs the module.
  - Fails closed. It is started only with a valid certificate, a password and a configuration that
    parses, and it counts as started only when it has shown that certificate, refused a stranger and
    accepted the token of the profile.
  - A server that is running is found and reported, not started again, whoever started it and
    whatever notes there are.
extends_documentation_fragment: [hpcc.notebook.launch]
options:
  state:
    description:
      - Whether a server shall run here; V(restarted) stops one that is running first.
      - V(absent) also removes what servers leave on the node, but not the history of IPython.
    type: str
    choices: [started, stopped, restarted, absent]
    default: started
  transport:
    description: Where it listens. Nobody else reaches a socket; some sites allow V(tcp) only.
    type: str
    choices: [socket, tcp]
    default: socket
  port:
    description: The port of 127.0.0.1 to listen on, with O(transport=tcp).
    type: int
    default: 8888
  session:
    description: Name of the tmux session; the name of the profile by default.
    type: str
  threads:
    description:
      - How many threads the numerical libraries of a kernel use, unless the site says otherwise.
        With V(0) each takes all the cores that it finds.
    type: int
    default: 0
  idle_shutdown:
    description:
      - Seconds without a running cell or an open page after which kernels end, and without
        kernels the server. With V(0) it stays.
    type: int
    default: 0
  cpu_limit:
    description:
      - Seconds of CPU time after which the site ends a process by itself, where C(ulimit -t) does
        not say so. Nothing is limited by it; a person is told in time.
    type: int
    default: 0
  second:
    description: Start one even if another host of the home has one; else that one is reported.
    type: bool
    default: false
  timeout:
    description: Seconds that the server gets to answer, and that another run is waited for.
    type: int
    default: 60
  where:
    description:
      - With V(job) a job serves, which M(hpcc.notebook.notebook_job) submits and returns.
      - O(state=stopped) and O(state=absent) end a server on this host and a job, too.
    type: str
    choices: [node, job]
    default: node
  job:
    description: What a job asks for with O(where=job), as for M(hpcc.notebook.notebook_job).
    type: dict
    suboptions:
      resources: {description: Such as V(walltime=08:00:00;mem=16gb), type: str, default: ''}
      queue: {description: The queue or partition, type: str, default: ''}
      cores: {description: The cores of the job, type: int, default: 1}
      successor: {description: Also submit the one that follows, type: bool, default: false}
attributes:
  check_mode:
    support: full
    description: Predicts without changing anything.
  diff_mode:
    support: full
    description: Shows the state before and after.
seealso:
  - plugin: hpcc.notebook.tunnel_command
    plugin_type: filter
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Serve notebooks on a development node
  hpcc.notebook.notebook_server:
  vars:
    ansible_python_interpreter: ~/anaconda/bin/python

- name: Serve Notebook 7 on a port, where sockets cannot be forwarded
  hpcc.notebook.notebook_server: {frontend: notebook, transport: tcp, port: 9000}
  vars:
    ansible_python_interpreter: ~/anaconda/bin/python

- name: Stop it
  hpcc.notebook.notebook_server: {state: stopped}
  vars:
    ansible_python_interpreter: ~/anaconda/bin/python
"""

RETURN = r"""
host: {description: Short name of the host, returned: success, type: str, sample: dev-intel10}
user: {description: Login name that it runs as, returned: success, type: str, sample: alice}
state:
  description: What is true now; V(elsewhere) when another host has the server, which is returned.
  returned: success
  type: str
  sample: started
reason:
  description: Why something was changed or left alone.
  returned: success
  type: str
  sample: not running
session: {description: Name of the tmux session, returned: success, type: str, sample: nbserver}
stopped_by:
  description: What it took to stop one.
  returned: when one was stopped
  type: str
  sample: it shut down cleanly
kernels_ended:
  description: How many kernels ended with it.
  returned: when one was stopped
  type: int
  sample: 2
frontend: {description: What people see, returned: when started, type: str, sample: lab}
version:
  description: Front end and version.
  returned: when started
  type: str
  sample: JupyterLab 4.6.6
transport:
  description: Where it listens.
  returned: when started
  type: str
  sample: socket
socket:
  description: Path of the socket.
  returned: over a socket
  type: str
  sample: /tmp/nbserver-1000/notebook.sock
gateway_socket: {description: Path on the gateway for V(two_hop), returned: when started, type: str}
port:
  description: Port of 127.0.0.1.
  returned: over TCP
  type: int
  sample: 8888
url:
  description: Its address on this host; empty over a socket.
  returned: when started
  type: str
  sample: https://127.0.0.1:8888
certificate_sha256:
  description: Fingerprint of the certificate that it shows.
  returned: when started
  type: str
  sample: '3F:A2:90:…'
prefix: {description: The generation that it runs from, returned: when started, type: str}
pid: {description: Its process, returned: when running, type: int, sample: 4711}
since: {description: When it was started, returned: when running, type: str,
  sample: '2026-07-18T09:30:00Z'}
"""

from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._options.notebook_server import (
    INTERFACE,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import require
from ansible_collections.hpcc.notebook.plugins.module_utils._server.control import carry_out
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch
from ansible_collections.hpcc.notebook.plugins.module_utils._server.report import Request

OF_LAUNCH = ("frontend", "transport", "port", "threads", "cpu_limit")
RULES = {
    "profile": "profile_name",
    "session": "session_name",
    "port": "port",
    "timeout": "seconds",
    "modules": "module_names",
    "threads": "threads",
    "idle_shutdown": "idle_seconds",
    "cpu_limit": "cpu_seconds",
}


def request_of(params: Mapping[str, Any]) -> Request:
    """The parameters, once they are known to be good."""
    params = {**params, "session": params["session"] or params["profile"]}
    for name, rule in RULES.items():
        require(name, rule, params[name])
    launch = Launch(
        modules=tuple(params["modules"]),
        idle=params["idle_shutdown"],
        environments=params["kernels_from_environments"],
        **{name: params[name] for name in OF_LAUNCH},
    )
    asked = ("profile", "state", "session", "timeout", "second")
    return Request(launch=launch, **{name: params[name] for name in asked})


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(**INTERFACE, supports_check_mode=True)
    try:
        outcome = carry_out(request_of(module.params), check=module.check_mode)
    except NotebookError as error:
        module.fail_json(msg=str(error))
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(changed=outcome.changed, diff=outcome.diff, **outcome.report)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notebook_job
short_description: Run the notebook server of a profile as a job of the site's scheduler
version_added: 0.1.0
description:
  - Submits one job that serves JupyterLab, Notebook 7 or nbclassic over a socket of its compute
    node, waits until the server has proved itself, and says where it is.
  - There is one job of a profile at most, whoever asks for it and from where. One that waits or
    runs is joined.
  - Needs the Python of an installation, named by C(ansible_python_interpreter).
extends_documentation_fragment: [hpcc.notebook.launch]
options:
  state:
    description:
      - V(started) submits a job, unless there is one. V(joined) waits for the one that there is,
        and V(found) only looks. V(restarted) ends it and submits another.
      - V(absent) also removes what was written for jobs.
    type: str
    choices: [started, joined, found, stopped, restarted, absent]
    default: started
  resources:
    description:
      - What the job asks for, as C(cluster_view) takes it, such as
        V(walltime=08:00:00;mem=16gb;gpus=1;account=ged).
      - What it does not say, the site's C(cluster_helper.ini) does; a walltime is one hour then.
    type: str
    default: ''
  queue:
    description: The queue or partition; the site's, or the scheduler's own, when it is empty.
    type: str
    default: ''
  cores:
    description: The cores of the job, and the threads of a kernel's numerical libraries.
    type: int
    default: 1
  idle_shutdown:
    description:
      - Seconds without a running cell or an open page after which kernels end, without kernels the
        server, and with it the job. With V(0) it stays until its walltime.
    type: int
    default: 0
  successor:
    description:
      - With O(state=started) and O(state=restarted), also submit a job that asks for the same and
        begins when the one that there is has ended, however it ends. There is one at most.
    type: bool
    default: false
  second:
    description: Submit one even if a node has a server of the profile.
    type: bool
    default: false
  timeout:
    description: Seconds that the server gets to answer in its job.
    type: int
    default: 60
  wait:
    description: With O(state=joined), the seconds after which the module says how far the job is.
    type: int
    default: 0
  program:
    description: What the job runs; the collection fills this in.
    type: str
    default: ''
attributes:
  check_mode:
    support: full
    description: Predicts without changing anything.
  diff_mode:
    support: none
    description: A job has no content to compare.
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Serve notebooks on a compute node for a working day
  hpcc.notebook.notebook_job: {resources: "walltime=08:00:00;mem=16gb", cores: 4}
  vars:
    ansible_python_interpreter: ~/anaconda/bin/python

- name: End it
  hpcc.notebook.notebook_job: {state: stopped}
  vars:
    ansible_python_interpreter: ~/anaconda/bin/python
"""

RETURN = r"""
host:
  description: Short name of the compute node that serves, else of the host that was asked.
  returned: success
  type: str
  sample: c17
user: {description: Login name that it runs as, returned: success, type: str, sample: alice}
state:
  description: One of V(waiting), V(starting), V(started), V(stopped).
  returned: success
  type: str
  sample: started
reason:
  description: Why it waits or has ended, in the scheduler's words where it has some.
  returned: success
  type: str
  sample: Priority
job: {description: Its id; empty without one, returned: success, type: str, sample: '4711'}
node: {description: Where it runs, returned: success, type: str, sample: c17}
expected: {description: When the scheduler expects it to start, returned: success, type: str}
stalled:
  description: That it is suspended, or that its node is silent, and what this means; else empty.
  returned: success
  type: str
asked:
  description: What was asked for.
  returned: success
  type: str
  sample: cores 4, walltime 08:00:00
idle_shutdown:
  description: Seconds without use after which the server and its job end; V(0) for never.
  returned: success
  type: int
  sample: 7200
scheduler: {description: Which scheduler has it, returned: success, type: str, sample: slurm}
ends:
  description: When its walltime is over, in UTC.
  returned: when started
  type: str
  sample: '2026-07-18T17:30:00Z'
successor:
  description: The job that begins when that one has ended; empty without one.
  returned: success
  type: str
  sample: '4712'
successor_reason:
  description: Why that one waits, in the scheduler's words where it has some.
  returned: success
  type: str
  sample: Dependency
stopped_by: {description: What was ended, returned: when one was stopped, type: str}
kernels: {description: How many it has, returned: when started, type: int}
memory:
  description: Bytes that the server and its kernels occupy, as the job itself notes each minute.
  returned: when started
  type: int
memory_used:
  description: Bytes that count against the limit, whichever process of the job has them.
  returned: when started
  type: int
memory_limit:
  description: Bytes that the job may use, by its cgroup or its scheduler's word; V(0) for no limit.
  returned: when started
  type: int
measured: {description: The moment of that in UTC, returned: when started, type: str}
near:
  description: What is said of a limit that is almost reached.
  returned: when started
  type: list
  elements: str
socket: {description: Path of the socket on the compute node, returned: when started, type: str}
version: {description: Front end and version, returned: when started, type: str}
certificate_sha256: {description: Its fingerprint, returned: when started, type: str}
"""

from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._job.control import carry_out
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import Request, Wanted
from ansible_collections.hpcc.notebook.plugins.module_utils._options.notebook_job import (
    INTERFACE,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import require
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch

RULES = {
    "profile": "profile_name",
    "resources": "resources",
    "queue": "optional_queue",
    "cores": "cores",
    "timeout": "seconds",
    "modules": "module_names",
    "idle_shutdown": "idle_seconds",
}


def request_of(params: Mapping[str, Any]) -> Request:
    """The parameters, once they are known to be good."""
    for name, rule in RULES.items():
        require(name, rule, params[name])
    launch = Launch(
        frontend=params["frontend"],
        transport="socket",
        port=0,
        modules=tuple(params["modules"]),
        threads=params["cores"],
        idle=params["idle_shutdown"],
        environments=params["kernels_from_environments"],
    )
    return Request(
        launch=launch,
        wanted=Wanted(params["resources"], params["queue"], params["cores"]),
        **{name: params[name] for name in ("profile", "state", "timeout", "second", "successor")},
        **{name: params[name] for name in ("wait", "program")},
    )


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(**INTERFACE, supports_check_mode=True)
    try:
        outcome = carry_out(request_of(module.params), check=module.check_mode)
    except NotebookError as error:
        module.fail_json(msg=str(error))
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(changed=outcome.changed, **outcome.report)


if __name__ == "__main__":
    main()

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter server_table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._server import announcement
from ansible_collections.hpcc.notebook.plugins.module_utils._server import table as server_table
from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import (
    beside,
    name_of,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import tunnel
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.filter_errors import as_filter
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.printed_tunnel import printed

DOCUMENTATION = r"""
name: server_table
short_description: Where notebook servers run, as a table
version_added: 0.1.0
description:
  - Lines for a person, from what M(hpcc.notebook.notebook_server_info) returned on every host.
  - A host that did not answer is shown with what others have recorded of it.
positional: hosts, gateway, local_port, form
options:
  _input:
    description: The names of the hosts that were asked.
    type: list
    elements: str
    required: true
  hosts:
    description:
      - The variables of every host, such as C(hostvars), and among them C(nbserver_looked),
        which the module returned, with what it found of a job, or C(nbserver_reached) and
        C(nbserver_installation), which say why it was not asked.
    type: dict
    required: true
  gateway:
    description: Variables of the machine that everybody logs into.
    type: dict
  local_port:
    description: The port on the person's own computer; 8888 by default.
    type: int
  form:
    description: As for P(hpcc.notebook.tunnel_command#filter); V(jump) by default.
    type: str
    choices: [jump, two_hop, relay]
seealso:
  - plugin: hpcc.notebook.tunnel_command
    plugin_type: filter
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Show the one host that was asked
  hpcc.notebook.announce:
    lines: "{{ [inventory_hostname] | hpcc.notebook.server_table(hostvars) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""


REGISTERED = ("nbserver_reached", "nbserver_installation", "nbserver_looked")


@as_filter
def table(
    asked: Iterable[str],
    hosts: Mapping[str, Variables],
    gateway: Variables | None = None,
    local_port: object = tunnel.LOCAL_PORT,
    form: str | None = None,
) -> list[str]:
    """The table, and below it how each server that runs is reached."""
    answers = {name: _answer(hosts[name]) for name in asked}
    jobs = list(_jobs(answers.values()))
    now = time.time()
    found = server_table.rows(answers, hosts, jobs)
    lines = [*server_table.table(found, now), *server_table.remarks(found, answers)]
    lines += [*server_table.of_jobs(jobs, now), *server_table.homes(answers)]
    for row in server_table.living(found):
        name = str(row["name"])
        dev, asked_there = _reached(str(row.get("relay") or name), hosts, answers, jobs)
        reached = {**row, "keywords": asked_there.get("keywords")}
        shown = printed(reached, dev, gateway, local_port, form)
        way_in = announcement.way_in(row, shown.command, local_port, shown.remarks)
        lines += ["", f"{name}:", *way_in]
    return lines


def _reached(
    name: str,
    hosts: Mapping[str, Variables],
    answers: Mapping[str, Variables],
    jobs: Sequence[Variables],
) -> tuple[Variables, Variables]:
    """The variables of a host, and the result that says how it was logged in to."""
    known = name if name in hosts else name_of(hosts, name)
    if known:
        return hosts[known], answers.get(known, {})
    return beside(hosts[next(iter(answers))], name), next(iter(jobs), {})


def _jobs(answers: Iterable[Variables]) -> Iterator[Variables]:
    """What schedulers were asked for; one that did not answer is told of."""
    for answer in answers:
        job = answer.get("found_job")
        if isinstance(job, Mapping) and ("asked" in job or job.get("failed")):
            yield job


def _answer(variables: Variables) -> Variables:
    """What a host said last: when the installation was not found, the server was not looked at."""
    parts = [variables.get(name) for name in REGISTERED]
    return {key: part[key] for part in parts if isinstance(part, Mapping) for key in part}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Filters by name."""
        return {"server_table": table}

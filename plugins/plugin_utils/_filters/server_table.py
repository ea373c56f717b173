# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of status."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._server import announcement, table
from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import (
    beside,
    name_of,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import tunnel
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables
from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters.errors import as_filter
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.printed_tunnel import printed

REGISTERED = ("nbserver_reached", "nbserver_installation", "nbserver_looked")


@as_filter
def server_table(
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
    found = table.rows(answers, hosts, jobs)
    lines = [*table.table(found, now), *table.remarks(found, answers)]
    lines += [*table.of_jobs(jobs, now), *table.homes(answers)]
    for row in table.living(found):
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

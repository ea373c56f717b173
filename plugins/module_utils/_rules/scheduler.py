# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for what is told to a scheduler: each becomes one word of a job script, never two.

packages/cluster_helper has the same ones, since it is used without Ansible, too; a test compares
them.
"""

from __future__ import annotations

import re

from ansible_collections.hpcc.notebook.plugins.module_utils._common import cluster_helper
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import (
    matching,
    text,
    whole_number,
)

queue = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}"), "one plain name such as main or gpu-a100_2"
)
account = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}"), "one plain name such as ged-intel11"
)
parallel_environment = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"), "one plain name such as smp"
)
address = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}"), "an interface or address such as ib0"
)
walltime = matching(
    re.compile(r"(?!0{1,4}:00:00$)[0-9]{1,4}:[0-5][0-9]:[0-5][0-9]"),
    "HH:MM:SS and longer than nothing",
)
cores = whole_number(1, 1024)


# What cluster_view calls a parameter of its own, is a variable of its own here.
_VARIABLES = {
    "queue=…": "nbserver_queue",
    "num_jobs=… and cores_per_job=…": "nbserver_cores",
    "cores_per_job=…": "nbserver_cores",
    "num_jobs=…": "nbserver_cores",  # a notebook has one node
}


def resources(value: object) -> str | None:
    """What a job asks for, as cluster_view reads it; which of it a scheduler knows, it says."""
    reason = text(value)
    if reason:
        return reason
    try:
        cluster_helper.part("resources").parse(value, days=True)
    except cluster_helper.part("errors").ClusterError as error:
        return _in_variables(str(error))
    return None


def _in_variables(said: str) -> str:
    for word, variable in _VARIABLES.items():
        said = said.replace(word, variable)
    begins, _space, rest = said.partition(" ")
    return printable(rest if begins == "resources" else f"must be right in each part: {said}")


def optional_queue(value: object) -> str | None:
    """A queue, or the scheduler's own choice."""
    return None if value == "" else queue(value)


max_jobs = whole_number(1, 100_000)

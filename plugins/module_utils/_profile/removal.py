# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: plan the removal of a profile; what people put into it stays."""

from __future__ import annotations

from functools import partial
from typing import Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import plan as profile_plan
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.plan import Step


def absent(layout: Layout) -> resource.Plan:
    """Plan the removal of what is ours; a directory goes when nothing else is left in it."""
    files.private_directory_reason(layout.directory)
    profile_plan.refuse_recorded_servers(layout, files.entries(layout.at("run")))
    hosts = [f"log/{host}" for host in files.entries(layout.at("log"))]
    logs = [f"{host}/{name}" for host in hosts for name in profile.LOGS]
    made = (*profile.FILES, *profile.MARKS, *profile.JOB_FILES.values(), *logs)
    doomed = {layout.at(name): name for name in made if may_go(layout, name)}
    ends = [f"run/{name}" for name in files.sockets(layout.at("run"))]  # left by tunnels
    doomed.update((layout.at(name), name) for name in ends)
    empty = (*hosts, profile.JOB, *profile.IPYTHONS_DIRECTORIES, *reversed(profile.DIRECTORIES))
    for name in (*empty, ""):
        path = layout.at(name) if name else layout.directory
        if holds_only(path, doomed):
            doomed[path] = name or f"profile_{layout.name}"
    steps = [
        Step(name, profile_plan.REMOVED, partial(files.remove, path))
        for path, name in doomed.items()
    ]
    kept = [name for name in files.entries(layout.directory) if layout.at(name) not in doomed]
    return profile_plan.plan(layout, steps, {"kept": kept})


def may_go(layout: Layout, name: str) -> bool:
    """Whether there is such a file of ours."""
    content = files.read(layout.at(name))
    return content is not None and profile_plan.is_ours(layout, name, content)


def holds_only(path: str, doomed: Mapping[str, str]) -> bool:
    """Whether a directory is empty once these files and directories are gone."""
    exists = files.directory_status(path) is not None
    return exists and all(f"{path}/{entry}" in doomed for entry in files.entries(path))

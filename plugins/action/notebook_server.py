# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the same name runs on the host, untouched by login files; or its job is asked for.

Both in one task: whoever has no job would read of another one that it was skipped. One node of a
person after the other: the next one sees that there is a server already.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.job_module import JobModule
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.node_module import (
    ReachedNodeModule,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.turns import InTurn

_ENDS = ("stopped", "absent")
_OF_NODES = ("where", "job", "transport", "port", "session", "threads", "cpu_limit")


class ActionModule(InTurn, ReachedNodeModule, JobModule):
    """One execution for a server on the node; one to submit a job, or to end what was submitted."""

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        as_job = arguments.get("where") == "job"
        of_job = {name: value for name, value in arguments.items() if name not in _OF_NODES}
        of_job |= arguments.get("job") or {}
        if as_job and arguments.get("state", "started") not in _ENDS:
            return self.job(of_job, task_vars)
        answer = super().on_node(arguments, task_vars)
        ends = arguments.get("state") in _ENDS and (as_job or answer.get("job"))
        if answer.get("failed") or not ends:
            return answer
        return both_ended(answer, self.job(of_job, task_vars))


def both_ended(server: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    """What is told of the end of a server on a node, and of a job."""
    if not job.get("changed") and not job.get("failed"):
        return server
    both = {**server, **job, "changed": bool(server.get("changed") or job.get("changed"))}
    if not (server.get("stopped_by") and job.get("stopped_by")):
        return both
    said = f"{server['stopped_by']}, and {job['stopped_by']}"
    kernels = server["kernels_ended"] + job["kernels_ended"]
    return {**both, "host": server["host"], "stopped_by": said, "kernels_ended": kernels}

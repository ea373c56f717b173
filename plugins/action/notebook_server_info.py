# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the same name runs on the host, untouched by login files.

Where a job was submitted, its scheduler is asked here, and not by a task of its own: everybody else
would read that this was skipped.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.job_module import JobModule
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.node_module import (
    ReachedNodeModule,
)


class ActionModule(ReachedNodeModule, JobModule):
    """One execution to look; one more where there is a job to ask for."""

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        answer = super().on_node(arguments, task_vars)
        asks = arguments.get("ask_scheduler") and self._python(task_vars or {})
        if not (asks and answer.get("job")):
            return answer
        asked = {name: arguments[name] for name in arguments if name in ("profile", "modules")}
        return {**answer, "found_job": self.job({**asked, "state": "found"}, task_vars)}

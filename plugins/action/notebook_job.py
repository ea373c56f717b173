# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the same name runs on the host, and the job is waited for here."""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.job_module import JobModule
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.turns import InTurn


class ActionModule(InTurn, JobModule):
    """What Ansible looks for."""

    def takes_turns(self) -> bool:
        """All nodes may ask at once what there is."""
        return self._task.args.get("state") != "found"

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        return self.job(arguments, task_vars)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print lines for a person, as they are: to be read, and to be pasted."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal


class ActionModule(ActionBase):
    """Runs on the controller only; no host is asked."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Print and say nothing else."""
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(
            {"lines": {"type": "list", "elements": "str", "required": True}}
        )
        terminal.say(*arguments["lines"])
        return {"changed": False}

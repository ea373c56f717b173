# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the same name runs on the host; here it is said what changed of which resource."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.node_module import (
    SecretNodeModule,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.turns import InTurn
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust.signing import (
    SigningNodeModule,
)

RESOURCES = ("profile", "certificate", "password")
SHOWN = 3  # reasons of one resource; a new profile has twenty


class ActionModule(InTurn, SigningNodeModule, SecretNodeModule):
    """One module execution, with something to do or not; two to have something signed."""

    PART: ClassVar[str] = "certificate"

    def takes_turns(self) -> bool:
        """What is removed by one node is gone for the next one."""
        return self._task.args.get("state") == "absent"

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Run the module, and print a line for each resource that changed."""
        answer = super().on_node(arguments, task_vars)
        host = (task_vars or {}).get("inventory_hostname", "localhost")
        terminal.say(*(f"{host}: {line}" for line in changes(answer)))
        return answer


def changes(answer: dict[str, Any]) -> list[str]:
    """Of each resource that changed, or would: why."""
    found = {name: answer.get(name) or {} for name in RESOURCES}
    return [f"{name}: {_short(of['reason'])}" for name, of in found.items() if of.get("changed")]


def _short(reason: str) -> str:
    reasons = reason.split("; ")
    more = len(reasons) - SHOWN
    return f"{'; '.join(reasons[:SHOWN])}; and {more} more" if more > 1 else reason

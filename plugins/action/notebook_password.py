# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands the password to the module, and to nobody else.

Ansible shows every callback the arguments of each task, also of one with `no_log`: here they are
taken from the task before it is reported.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.plugin_utils.node_module import NodeModule

_SECRETS = ("password", "password_hash")


class ActionModule(NodeModule):
    """The module of the same name runs on the host."""

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Run the module; the task forgets what is secret."""
        self._task.args = {name: arguments[name] for name in arguments if name not in _SECRETS}
        return super().on_node(arguments, task_vars)

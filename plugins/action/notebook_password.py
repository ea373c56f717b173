# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands the password to the module, and to nobody else.

Ansible shows every callback the arguments of each task, also of one with `no_log`: here they are
taken from the task before it is reported.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

_SECRETS = ("password", "password_hash")


class ActionModule(ActionBase):
    """The module of the same name runs on the host."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module; the task forgets what is secret."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = self._task.args
        self._task.args = {name: given[name] for name in given if name not in _SECRETS}
        return {**result, **self._execute_module(module_args=given, task_vars=task_vars)}

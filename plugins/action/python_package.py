# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a package of pure Python on the controller, and let the module install it on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.plugin_utils.python_source import read_package


class ActionModule(ActionBase):
    """One module execution, whether there is something to do or not."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            {"src": {"type": "str", "required": True}}
        )
        try:
            source = Path(self._find_needle("files", arguments["src"]))
            package = read_package(source)
        except (AnsibleError, OSError, ValueError, KeyError) as error:
            raise AnsibleActionFail(f"src: no package in {arguments['src']}: {error}") from error
        module = {"src": str(source), **package}
        return {
            **result,
            **self._execute_module("hpcc.notebook.python_package", module, task_vars=task_vars),
        }

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a package of pure Python on the controller, and let the module install it on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.node_module import NodeModule
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.python_source import read_package


class ActionModule(NodeModule):
    """One module execution, whether there is something to do or not."""

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Run the module with the package's content beside its place."""
        also = {"type": "list", "elements": "str", "default": []}
        _result, given = self.validate_argument_spec(
            {"src": {"type": "str", "required": True}, "also": also}
        )
        try:
            source = Path(self._find_needle("files", arguments["src"]))
            package = read_package(source)
        except (AnsibleError, OSError, ValueError, KeyError) as error:
            raise AnsibleActionFail(f"src: no package in {arguments['src']}: {error}") from error
        return super().on_node({"src": str(source), "also": given["also"], **package}, task_vars)

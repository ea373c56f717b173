# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the authority that a host has made, keep it on this computer, and say how to trust it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    certificate,
    crypto,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import rules
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed
from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust import kept_authority

ARGUMENTS = {
    "chain": {"type": "str", "required": True},
    "names": {"type": "list", "elements": "str", "default": []},
    "profile": {"type": "str", "default": "nbserver"},
}


class ActionModule(ActionBase):
    """Runs on the controller only; what the host has sent is judged and never believed."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Write the file when it is another one than before."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(ARGUMENTS)
        host = str((task_vars or {}).get("inventory_hostname", "localhost"))
        try:
            rules.require("profile", "profile_name", given["profile"])
            rules.require("names", "certificate_names", given["names"])
            path = kept_authority.place_of_host(host, given["profile"])
            changed = self._keep(path, given)
        except NotebookError as error:
            return {**result, "failed": True, "msg": typed(str(error))}
        return {**result, "changed": changed, "path": str(path)}

    def _keep(self, path: Path, given: dict[str, Any]) -> bool:
        checking = bool(self._task.check_mode)
        if checking and not given["chain"]:
            terminal.say("A new authority would be made; a real run says how to trust it.")
            return True
        names = certificate.names_for(given["names"])
        pem = crypto.trusted_authority(given["chain"].encode(), names, datetime.now(UTC))
        if not files.private_file_reason(str(path), pem):
            return False
        if not checking:
            path.parent.parent.mkdir(parents=True, exist_ok=True)
            files.make_private_directory(str(path.parent))
            files.write_private(str(path), pem)
            terminal.say(*trust.lines(str(path)))
        return True

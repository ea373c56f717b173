# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at everything between this computer and a kernel, and say how it is. Repairs nothing."""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.module_utils import tunnel, way
from ansible_collections.hpcc.notebook.plugins.module_utils.doctor.every import (
    findings,
    is_wrong,
    report,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.doctor.findings import Seen
from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils.rules import require
from ansible_collections.hpcc.notebook.plugins.plugin_utils import examination
from ansible_collections.hpcc.notebook.plugins.plugin_utils.hosts import Hosts
from ansible_collections.hpcc.notebook.plugins.plugin_utils.reach import Closing, Reach, reach

_ARGUMENTS = {
    "profile": {"type": "str", "default": "nbserver"},
    "prefix": {"type": "str", "default": "~/anaconda"},
    "modulefile": {"type": "str", "default": "anaconda"},
    "transport": {"type": "str", "choices": ["socket", "tcp"], "default": "socket"},
    "port": {"type": "int", "default": 8888},
    "gateway": {"type": "str", "default": ""},
    "form": {"type": "str", "choices": list(way.FORMS), "default": "jump"},
    "local_port": {"type": "int", "default": tunnel.LOCAL_PORT},
}
_RULES = {
    "profile": "profile_name",
    "prefix": "prefix",
    "modulefile": "module_name",
    "port": "port",
    "local_port": "port",
}


class ActionModule(ActionBase):
    """Works on the controller; what it needs of the node, it asks through ssh itself."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Look, print, and fail when something does not work."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec(_ARGUMENTS)
        hosts = Hosts(task_vars or {}, given["gateway"], given["form"])
        try:
            for name, rule in _RULES.items():
                require(name, rule, given[name])
            with reach() as reached:
                return {**result, **_examine(reached, hosts, given)}
        except NotebookError as error:
            return {**result, "failed": True, "msg": str(error)}
        except Closing:
            os._exit(0)  # Ansible itself is ending, and waits for this process only


def _examine(reached: Reach, hosts: Hosts, given: dict[str, Any]) -> dict[str, Any]:
    found_way = hosts.way(hosts.here)
    words = found_way.words()
    gateway = found_way.gateway.host if found_way.gateway else ""
    settings = {
        "PREFIX": given["prefix"],
        "PROFILE": given["profile"],
        "MODULE": given["modulefile"],
        "PORT": given["port"],
        "ASKED": found_way.node.host,
    }
    seen = {
        "form": [given["form"]],
        "transport": [given["transport"]],
        "asked": [found_way.node.host],
        "login": [found_way.node.login],
        **examination.computer(words, given["local_port"], gateway),
        **examination.node(reached.session(words), reached.person.refused, settings),
    }
    found = findings(Seen(seen))
    for line in report(found):
        reached.person.tell(line)
    if is_wrong(found):
        return {"failed": True, "msg": "Something does not work: see the lines marked wrong."}
    return {"changed": False, "findings": [vars(finding) for finding in found]}

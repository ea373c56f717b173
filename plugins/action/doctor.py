# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at everything between this computer and a kernel, and say how it is. Repairs nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import jobs
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.checks import findings
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import Seen
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.summary import is_wrong, report
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reach import Reach
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reaching_action import (
    ReachingAction,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._doctor import examination
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.turns import InTurn
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.hosts import Hosts


class ActionModule(InTurn, ReachingAction):
    """Look, print, and fail when something does not work."""

    MORE_ARGUMENTS: ClassVar = {
        "prefix": {"type": "str", "default": "~/anaconda"},
        "owner": {"type": "str", "default": ""},
        "modulefile": {"type": "str", "default": "anaconda"},
        "modulefile_dir": {"type": "str", "default": "~/modulefiles"},
        "transport": {"type": "str", "choices": ["socket", "tcp"], "default": "socket"},
        "port": {"type": "int", "default": 8888},
        "where": {"type": "str", "choices": ["node", "job"], "default": "node"},
        "modules": {"type": "list", "elements": "str", "default": []},
        "only": {"type": "str", "choices": ["all", "wrong"], "default": "all"},
    }
    MORE_RULES: ClassVar = {
        "prefix": "prefix",
        "owner": "owner",
        "modulefile": "module_name",
        "modulefile_dir": "modulefile_dir",
        "port": "port",
        "modules": "module_names",
    }

    def work(self, reached: Reach, hosts: Hosts, given: dict[str, Any]) -> dict[str, Any]:
        found_way = hosts.way(hosts.here)
        session = reached.session(found_way.words(), found_way.program)
        settings = {
            "PREFIX": given["prefix"],
            "OWNER": given["owner"],
            "PROFILE": given["profile"],
            "MODULE": given["modulefile"],
            "MODULES": given["modulefile_dir"],
            "PORT": given["port"],
            "ASKED": found_way.node.host,
            "WHERE": given["where"],
            "SITE_MODULES": " ".join(given["modules"]),
        }
        seen = {
            "form": [given["form"]],
            "transport": [given["transport"]],
            "asked": [found_way.node.host],
            "login": [found_way.node.login],
            **examination.computer(
                found_way, given["local_port"], hosts.control_directory(hosts.here)
            ),
            "where": [given["where"]],
            **examination.node(session, reached.person.refused, settings),
        }
        seen |= self._compute_node(reached, hosts, Seen(seen))
        found = findings(Seen(seen))
        listed = [{**vars(finding), "todo": typed(finding.todo)} for finding in found]
        # With several hosts in the play, each report says whose it is.
        heading = [f"{hosts.here}:"] if len(hosts.played) > 1 else []
        reached.person.tell(*heading, *report(found, given["only"]))
        if is_wrong(found):
            what = "Something does not work: see the lines marked wrong."
            return {"failed": True, "msg": what, "findings": listed}
        return {"changed": False, "findings": listed}

    def _compute_node(self, reached: Reach, hosts: Hosts, seen: Seen) -> Answers:
        """What is seen there while a job serves; where it lets nobody in, on the node before it."""
        server = jobs.serving(seen)
        if server is None:
            return {}
        host = server.relay or server.host
        known = hosts.named(host)
        way = hosts.way(known) if known else hosts.way(hosts.here, node=host)
        session = reached.session(way.words(), way.program)
        return examination.compute_node(session, reached.person.refused, host, server)

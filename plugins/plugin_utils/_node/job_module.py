# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a module submit a job, and wait for it here: the person sees why, and may go away."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.imported import PACKAGE
from ansible_collections.hpcc.notebook.plugins.module_utils._server.table import of_jobs
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.cluster_helper_texts import (
    cluster_helper_texts,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.node_module import NodeModule
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.reaching import keywords
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.sent_program import program
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.progress_display import (
    Reporter,
)

ASK_EVERY = 15  # seconds; a scheduler is everybody's
LAST_WORDS = (
    "interrupted here. A job that was submitted stays in the queue: start again joins it, connect "
    "leads to it once it serves, stop takes it back"
)
_MODULE = "notebook_job"
_SUPERVISOR = f"{PACKAGE}.module_utils._job.supervisor"  # not imported: who has no job needs none
_BEGINS = ("started", "restarted")


class JobModule(NodeModule):
    """Asks notebook_job: once to submit, and once for each question until it serves."""

    def job(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """What became of the job."""
        variables = task_vars or {}
        if not self._python(variables):
            what = "needs ansible_python_interpreter to name the installation's Python."
            return {"failed": True, "changed": False, "msg": f"a job {what}"}
        begins = arguments.get("state", "started") in _BEGINS
        sent = {"program": program(_SUPERVISOR)} if begins else {}
        answer = self._asked({**arguments, **sent}, variables)
        answer = self._joined(answer, arguments, variables) if begins else answer
        # The login, not the port: that is of the node which was asked.
        return {**answer, "keywords": {**keywords(self._task), "port": None}}

    def _asked(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        sent = self._send(self._python(variables), arguments, _MODULE, cluster_helper_texts())
        return self._in_one_line(sent, variables)

    def _joined(
        self, answer: dict[str, Any], arguments: dict[str, Any], variables: dict[str, Any]
    ) -> dict[str, Any]:
        """Wait until it serves; Ctrl-C leaves it in the queue."""
        host = str(variables.get("inventory_hostname", ""))
        reporter = Reporter(host, alone=len(variables.get("ansible_play_hosts", [])) < 2)
        begun = answer
        with reporter.watching(LAST_WORDS):
            while not self._task.check_mode and answer.get("state") in ("waiting", "starting"):
                reporter.status(of_jobs([answer], time.time())[0])
                answer = self._asked({**arguments, "state": "joined", "wait": ASK_EVERY}, variables)
        kept = ("changed", "warnings", "successor", "successor_reason")
        return {**answer, **{name: begun[name] for name in kept if name in begun}}

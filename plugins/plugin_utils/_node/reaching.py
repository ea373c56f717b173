# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of ours on a host goes through here: one that cannot be reached is said in a line.

Ansible passes on all that ssh and the servers on the way have printed, behind advice of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import Fault
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Way
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import login_trial
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.hosts import Hosts

_ANSIBLES_ADVICE = re.compile(r".*?(?:via|over) ssh:|Invalid/incorrect [^:]*:", re.DOTALL)


class ReachingCommands(ActionBase):
    """An action whose connection fails in words that a person can act on."""

    _variables: Mapping[str, Any] = {}

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        self._variables = task_vars or {}
        return super().run(tmp, task_vars)

    def _low_level_execute_command(self, cmd: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        with self._explained():
            return super()._low_level_execute_command(cmd, *args, **kwargs)

    def _transfer_file(self, local_path: str, remote_path: str) -> str:
        with self._explained():
            return super()._transfer_file(local_path, remote_path)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except AnsibleConnectionFailure as error:
            if getattr(self._connection, "transport", "") != "ssh":
                raise
            try:
                line = str(self._fault(error).error())
            except NotebookError as reason:
                line = str(reason)
            raise AnsibleConnectionFailure(typed(line)) from None

    def _fault(self, error: AnsibleConnectionFailure) -> Fault:
        heard = _ANSIBLES_ADVICE.sub("", str(error.message), count=1).strip()
        way = self._way()
        if self._connection.get_option("password"):
            return _by_password(error, heard, way)
        return login_trial.fault(heard, way, int(self._connection.get_option("timeout")))

    def _way(self) -> Way:
        """How Ansible goes: its options name what lies between."""
        host = self._task.delegate_to or str(self._variables["inventory_hostname"])
        return Hosts(self._variables, "", "jump", keywords(self._task)).way(host)


def _by_password(error: AnsibleConnectionFailure, heard: str, way: Way) -> Fault:
    """Nobody but Ansible has it, and no server is shown it twice."""
    last = printable((heard.splitlines() or ["ssh does not say why"])[-1])
    if isinstance(error, AnsibleAuthenticationFailure):
        what, todo = f"the password was refused ({last})", "Check the user name and the password."
        return Fault(what, way.node.login, todo)
    todo = "Log in by hand, as docs/login.md says, and run the same again."
    return Fault(f"no login ({last})", way.node.login, todo, passing=True)


def keywords(task: Any) -> dict[str, Any]:
    """What a task or its play says of the login; no variable shows it, so results carry it."""
    return {"remote_user": task.remote_user, "port": task.port}

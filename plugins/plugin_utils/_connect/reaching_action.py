# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action that goes to hosts by ssh itself: its arguments, and how it ends."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import require
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import hops
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.tunnel import LOCAL_PORT
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.connection import (
    Elsewhere,
    Lost,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reach import (
    Closing,
    Reach,
    reach,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.reaching import keywords
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import (
    typed,
    with_commands,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.hosts import Hosts

_ARGUMENTS: dict[str, Any] = {
    "profile": {"type": "str", "default": "nbserver"},
    "gateway": {"type": "str", "default": ""},
    "form": {"type": "str", "choices": list(hops.FORMS), "default": "jump"},
    "local_port": {"type": "int", "default": LOCAL_PORT},
}
_RULES = {"profile": "profile_name", "local_port": "port"}


class ReachingAction(ActionBase):
    """Works on the controller; what it needs of a host, it asks through ssh itself."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    MORE_ARGUMENTS: ClassVar[dict[str, Any]] = {}
    MORE_RULES: ClassVar[dict[str, str]] = {}
    closed = ""  # what to say when the person closes it by Ctrl-C

    @abstractmethod
    def work(self, reached: Reach, hosts: Hosts, given: dict[str, Any]) -> dict[str, Any]:
        """Do what the action is for."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Everything that goes wrong becomes one line, and no ssh is left."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec({**_ARGUMENTS, **self.MORE_ARGUMENTS})
        said = keywords(self._task)
        hosts = Hosts(task_vars or {}, given["gateway"], given["form"], said)
        try:
            for name, rule in {**_RULES, **self.MORE_RULES}.items():
                require(name, rule, given[name])
            with reach() as reached:
                done = self.work(reached, hosts, given)
                return with_commands({**result, **done, "keywords": said})
        except (NotebookError, Lost, Elsewhere) as error:
            return {**result, "failed": True, "msg": typed(str(error))}
        except Closing:
            if self.closed:
                terminal.last_words(self.closed)
            os._exit(0)  # Ansible itself is ending, and waits for this process only

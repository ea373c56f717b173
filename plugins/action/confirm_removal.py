# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what would be removed, and go on only when the person wants that."""

from __future__ import annotations

from typing import Any

from ansible.errors import (
    AnsibleActionFail,
    AnsiblePromptInterrupt,
    AnsiblePromptNoninteractive,
)
from ansible_collections.hpcc.notebook.plugins.module_utils import _teardown as teardown
from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import require
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import question
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed

RULES = {
    "profile": "profile_name",
    "modulefile": "modulefile_dir",
    "prefix": "prefix",
    "parallel": "profile_name",
}
ARGUMENTS = {
    "profile": {"type": "str", "default": "nbserver"},
    "modulefile": {"type": "str", "default": "~/modulefiles/anaconda"},
    "prefix": {"type": "str", "default": "~/anaconda"},
    "parallel": {"type": "str", "default": "cluster"},
    "parts": {"type": "list", "elements": "str", "default": list(teardown.PARTS)},
    "confirmed": {"type": "bool", "default": False},
}


class ActionModule(host_shell.HostShellAction):
    """Asks one host, by one command that needs no Python there, and one person."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, wanted = self.validate_argument_spec(ARGUMENTS)
        try:
            teardown.require_parts(wanted["parts"])
            for name, rule in RULES.items():
                require(name, rule, wanted[name])
            found = self._found(wanted)
        except NotebookError as error:
            raise AnsibleActionFail(typed(str(error))) from None
        going = teardown.removable(found, wanted["parts"])
        user = str(self._play_context.remote_user or "this account")
        terminal.say(*teardown.shown(found, wanted["parts"], user))
        if going and not self._task.check_mode and not wanted["confirmed"]:
            _ask()
        # A check run has shown the list; what it foretells must not depend on a running server.
        remove = [] if self._task.check_mode else going
        return {**result, "changed": bool(going) and self._task.check_mode, "remove": remove}

    def _found(self, wanted: dict[str, Any]) -> Answers:
        names = ("profile", "modulefile", "prefix", "parallel")
        asked = question({}, text=teardown.questions(*(wanted[name] for name in names)))
        return host_shell.answer(self._execute, asked)


def _ask() -> None:
    try:
        answer = terminal.ask("Remove it? Type yes to go on:").decode("utf-8", "replace")
    except AnsiblePromptNoninteractive:
        todo = "Confirm by -e teardown_confirmed=true."
        raise AnsibleActionFail(f"Nothing was removed: no terminal to ask. {todo}") from None
    except AnsiblePromptInterrupt:
        answer = ""
    if answer.strip().lower() != "yes":
        raise AnsibleActionFail("Nothing was removed: the answer was not yes.")

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask for the notebook's password on the controller's terminal, when no other way gave one.

It is asked early, before a long installation. Whether the host has a hash already is found out by
one shell command, because before the installation there may be no Python.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from typing import Any

from ansible.errors import (
    AnsibleActionFail,
    AnsiblePromptInterrupt,
    AnsiblePromptNoninteractive,
)
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import PASSWORD_FILE
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import require
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.secrets import (
    PASSWORD_CHARACTERS,
    password,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import question
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed

TRIES = 3
_IS_STORED = """
grep -q 'argon2:.argon2id' {path} 2>/dev/null && emit stored yes
emit looked yes
end_answers
"""
VARIABLE = "nbserver_profile_password"


class ActionModule(host_shell.HostShellAction):
    """Give the password of the profile, or nothing when the host has its hash."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset(("profile", "again"))

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.pop("invocation", None)
        variables = task_vars or {}
        try:
            answer = self._earlier(variables) or self._answer(variables)
        except NotebookError as error:
            raise AnsibleActionFail(typed(str(error))) from None
        # Not `no_log` of the task, because that would hide why it failed, too.
        return {**result, "changed": False, "_ansible_no_log": True, **answer}

    def _earlier(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Give what was answered before in this run, so that nobody is asked twice."""
        # A name; from ansible-core 2.21 on, an expression for each of several.
        registered = self._task.register or ""
        names = [registered] if isinstance(registered, str) else list(registered)
        found: Any = next((variables[name] for name in names if name in variables), {})
        given = found if isinstance(found, Mapping) else {}
        return {name: given[name] for name in ("stored", "password") if name in given}

    def _answer(self, variables: dict[str, Any]) -> dict[str, Any]:
        profile = self._task.args.get("profile", "nbserver")
        require("profile", "profile_name", profile)
        again = boolean(self._task.args.get("again", False))
        if not again and self._is_stored(profile):
            return {"stored": True}
        if self._task.check_mode:  # it only has to be another one than the host's, which has none
            return {"stored": False, "password": secrets.token_urlsafe()}
        host = str(variables.get("inventory_hostname", "this host"))
        names = [profile, host, str(self._play_context.remote_user or "")]
        return {"stored": False, "password": _asked(f"profile {profile} on {host}", names)}

    def _is_stored(self, profile: str) -> bool:
        path = f'"$HOME"/.ipython/profile_{shlex.quote(profile)}/{PASSWORD_FILE}'
        asked = question({}, text=_IS_STORED.format(path=path))
        return "stored" in host_shell.answer(self._execute, asked)


def _asked(where: str, names: list[str]) -> str:
    """Ask twice, until both are the same and good enough."""
    for _try in range(TRIES):
        given = _prompt(
            f"New notebook password for {where} "
            f"(at least {PASSWORD_CHARACTERS} characters; it is not shown):"
        )
        reason = password(given, names)
        if reason is None and _prompt("The same password again:") == given:
            return given
        terminal.say(f"The password {reason}." if reason else "The two were not the same.")
    raise NotebookError(f"no usable password in {TRIES} tries", VARIABLE, "Run again")


def _prompt(text: str) -> str:
    """Read one line without echo."""
    try:
        return terminal.ask(text, private=True).decode("utf-8", "surrogateescape")
    except AnsiblePromptNoninteractive:
        what = "there is no password yet, and no terminal to ask for one"
        raise NotebookError(what, VARIABLE, "Set this variable, best in a vault") from None
    except AnsiblePromptInterrupt:
        raise NotebookError("the question was interrupted", VARIABLE, "Run again") from None

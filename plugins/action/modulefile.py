# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes or removes a modulefile, over plain shell; its options are in the module of that name."""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.files import explained
from ansible_collections.hpcc.notebook.plugins.module_utils._modulefile.plan import (
    ModulefilePlan,
    plan,
    seen,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._modulefile.text import MARK, Module
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import rules
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed

ARGUMENTS = {
    "name": {"type": "str", "default": "anaconda"},
    "dir": {"type": "str", "default": "~/modulefiles"},
    "prefix": {"type": "str", "default": "~/anaconda"},
    "description": {"type": "str", "default": "Python from a conda distribution"},
    "syntax": {"type": "str", "default": "auto", "choices": ["auto", "lua", "tcl"]},
    "library_paths": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
}
RULES = {
    "name": "module_name",
    "dir": "modulefile_dir",
    "prefix": "modulefile_prefix",
    "description": "module_text",
}


class ActionModule(host_shell.HostShellAction):
    """Look, decide, write unless only checking, report from the plan."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Give the result of the task; whatever a person can act on comes as its message."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            given = self._checked_options()
            decided = self._decide(given)
            if decided.reason and not self._task.check_mode:
                self._apply(decided)
        except NotebookError as error:
            return {**result, "failed": True, "msg": typed(str(error))}
        return {
            **result,
            "changed": bool(decided.reason),
            "reason": decided.reason,
            "path": decided.path,
            "syntax": decided.syntax,
            "diff": [dict(part) for part in decided.diff],
            "warnings": list(decided.warnings),
        }

    def _checked_options(self) -> dict[str, Any]:
        _validated, given = self.validate_argument_spec(ARGUMENTS)
        for name, rule in RULES.items():
            rules.require(name, rule, given[name])
        return dict(given)

    def _decide(self, given: dict[str, Any]) -> ModulefilePlan:
        found = self._ask("look", DIR=given["dir"], NAME=given["name"], OURS=MARK)
        module = Module(
            given["name"], given["prefix"], given["description"], given["library_paths"]
        )
        wanted = given["syntax"] if given["state"] == "present" else "absent"
        return plan(seen(found, given["name"]), wanted, module)

    def _apply(self, decided: ModulefilePlan) -> None:
        found = self._ask(
            "apply",
            TARGET=decided.path if decided.content else "",
            CONTENT=decided.content,
            STALE="\n".join(decided.remove),
            OURS=MARK,
        )
        if "failed" in found:
            raise explained(found["failed"][0], found.get("where", [decided.path])[0])

    def _ask(self, name: str, **settings: object) -> Answers:
        program = SCRIPTS / "modulefile" / f"{name}.sh"
        return host_shell.answer(self._execute, question(settings, program))

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module on the node so that the person's login files decide nothing about it.

A login file may export PYTHONHOME, which stops every Python of another version before its first
line, or print something that looks like the answer of a module. So each command forgets what is
meant for other Pythons, and its output counts from one mark to another.
"""

from __future__ import annotations

import secrets
from typing import Any

from ansible.plugins.action import ActionBase

# One line: csh takes no newline in a quoted word. LD_PRELOAD first: `env` and `sed` obey it, too.
_FORGET = (
    "unset LD_PRELOAD; for name in $(env | sed -n 's/^\\(PYTHON[A-Z0-9_]*\\)=.*/\\1/p'); "
    'do unset "$name"; done'
)


def isolated(command: str, begin: str, end: str) -> str:
    """The command between two marks, with its own exit status, in a clean environment."""
    return f"{_FORGET}; echo {begin}; {{ {command}; }}; code=$?; echo {end}; (exit $code)"


def between(output: str, begin: str, end: str) -> str:
    """What the command itself printed; all that there is when it did not begin."""
    _noise, began, rest = output.partition(f"{begin}\n")
    return rest.partition(end)[0] if began else output


class IsolatedCommands(ActionBase):  # type: ignore[misc]
    """An action whose commands are left alone by login files."""

    def _low_level_execute_command(self, cmd: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        begin, end = (f"hpcc-{word}-{secrets.token_hex(8)}" for word in ("begin", "end"))
        found: dict[str, Any] = super()._low_level_execute_command(
            isolated(cmd, begin, end), *args, **kwargs
        )
        said = between(found["stdout"], begin, end)
        return {**found, "stdout": said, "stdout_lines": said.splitlines()}


class NodeModule(IsolatedCommands):
    """The module of the same name runs on the host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the module with the arguments of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, **self.on_node(self._task.args, task_vars)}

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """What the module answers; one line when it could not run at all."""
        answer: dict[str, Any] = self._execute_module(
            module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val
        )
        return answer if "module_stdout" not in answer else _no_answer(answer)


def _no_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """Ansible shows all that was printed; one line of it is what a person needs."""
    said = f"{answer['module_stdout']}\n{answer.get('module_stderr', '')}".strip().splitlines()
    # An error of Python itself stands above the threads that it had then.
    named = [line for line in said if "rror" in line or "not found" in line]
    told = (named or said[-1:] or ["no output"])[0].strip()
    msg = (
        f"the module's Python on the host ended with {answer.get('rc')}: {told}. Run setup.yml; "
        "if that does not help, look for what a login file (~/.bashrc) does to Python."
    )
    return {"failed": True, "changed": False, "rc": answer.get("rc"), "msg": msg}

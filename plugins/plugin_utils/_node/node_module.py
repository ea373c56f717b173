# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module on the node so that the person's login files decide nothing about it.

A login file may export PYTHONHOME, which stops every Python of another version before its first
line, or print something that looks like the answer of a module. So each command forgets what is
meant for other Pythons, and its output counts from one mark to another.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Mapping
from typing import Any

from ansible import constants
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.login_files import (
    BEFORE_EACH_COMMAND,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.module_program import (
    interface,
    module_program,
    texts,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.reaching import (
    ReachingCommands,
    keywords,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import with_commands

# One line: csh takes no newline in a quoted word. LD_PRELOAD first: `env` and `sed` obey it, too.
_FORGET = (
    "unset LD_PRELOAD; for name in $(env | sed -n 's/^\\(PYTHON[A-Z0-9_]*\\)=.*/\\1/p'); "
    'do unset "$name"; done'
)

_PATH = re.compile(r"(~/|/)\S+$")  # words such as `auto`, and `/usr/bin/env python3`, are Ansible's
_SECRETS = ("password", "password_hash")
_NO_ROOM = ("No space left", "quota exceeded", "No usable temporary directory", "Read-only file")
LEAST = 1024  # KiB for a module that is unpacked; of files, as many are more than enough
_ROOM = (
    'echo "${TMPDIR:-/tmp}"; df -Pk "${TMPDIR:-/tmp}" "$HOME" 2>/dev/null; '
    'df -Pi "${TMPDIR:-/tmp}" "$HOME" 2>/dev/null | awk \'$2 > 0\''
)


def isolated(command: str, begin: str, end: str) -> str:
    """The command between two marks, with its own exit status, in a clean environment."""
    return f"{_FORGET}; echo {begin}; {{ {command}; }}; code=$?; echo {end}; (exit $code)"


def between(output: str, begin: str, end: str) -> str:
    """What the command itself printed; all that there is when it did not begin."""
    _noise, began, rest = output.partition(f"{begin}\n")
    return rest.partition(end)[0] if began else output


class IsolatedCommands(ReachingCommands):
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

    def __init_subclass__(cls, **more: Any) -> None:
        """Load the module where Ansible loads the action, once: each host has its own process."""
        super().__init_subclass__(**more)
        if cls.__name__ == "ActionModule":
            name = cls.__module__.rpartition(".")[2]
            interface(name)
            texts(name)

    def more_texts(self) -> Mapping[str, str]:
        """What the module may import besides our own."""
        return {}

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the module with the arguments of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        return with_commands({**result, **self.on_node(self._task.args, task_vars)})

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """What the module answers; one line when it could not run at all."""
        python = self._python(task_vars or {})
        answer = (
            self._send(python, arguments)
            if python
            else self._execute_module(
                module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val
            )
        )
        return self._in_one_line(answer, task_vars)

    def _in_one_line(
        self, answer: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        if "module_stdout" not in answer:
            return answer
        told = _told(answer)
        no_room = any(word in told for word in _NO_ROOM)
        why = self._no_room(task_vars or {}, told) if no_room else _not_python(answer, told)
        return {"failed": True, "changed": False, "rc": answer.get("rc"), "msg": why}

    def _python(self, variables: Mapping[str, Any]) -> str:
        """The Python that the task names; empty when Ansible has to find one, or does more."""
        task = self._task
        special = task.async_val or task.delegate_to or self._play_context.become
        found = str(self._templar.template(variables.get("ansible_python_interpreter", "")))
        return (
            ""
            if special or constants.DEFAULT_KEEP_REMOTE_FILES or not _PATH.match(found)
            else found
        )

    def _send(
        self,
        python: str,
        arguments: dict[str, Any],
        name: str = "",
        also: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run the module as one program: nothing is unpacked on the host."""
        name = name or self._task.action.rpartition(".")[2]
        texts = self.more_texts() if also is None else also
        try:
            sent = module_program(name, arguments, check=bool(self._task.check_mode), also=texts)
        except NotebookError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        home, rest = ("~/", python[2:]) if python.startswith("~/") else ("", python)
        command = f"{self._compute_environment_string()} {home}{shlex.quote(rest)} -I".strip()
        found = self._low_level_execute_command(command, in_data=sent.program)
        answer = sent.answer(found["stdout"])
        if answer is not None:
            return answer
        said = {"module_stdout": found["stdout"], "module_stderr": found["stderr"]}
        return {**said, "rc": found["rc"]}

    def _no_room(self, variables: Mapping[str, Any], told: str) -> str:
        """Which file system of which host: Ansible unpacks a module in /tmp before it begins."""
        asked = self._low_level_execute_command(_ROOM)
        temporary, *full = full_file_systems(str(asked["stdout"]))
        host = variables.get("inventory_hostname", "the host")
        where = ", ".join(full) or f"that of {temporary} or your quota there"
        return (
            f"{host}: the file system {where} is full ({told.rpartition('] ')[2]}). Nothing was "
            f"changed. Ask the site, or free some room there: du -xhd1 {temporary}"
        )


class ReachedNodeModule(NodeModule):
    """Says, too, how the task logged in: what a node says of that is not believed."""

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Run the module."""
        return {**super().on_node(arguments, task_vars), "keywords": keywords(self._task)}


class SecretNodeModule(NodeModule):
    """Hands a password to the module, and to nobody else.

    Ansible shows every callback the arguments of each task, also of one with `no_log`: here they
    are taken from the task before it is reported.
    """

    def on_node(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Run the module; the task forgets what is secret."""
        self._task.args = {name: arguments[name] for name in arguments if name not in _SECRETS}
        return super().on_node(arguments, task_vars)


def full_file_systems(shown: str) -> list[str]:
    """The directory for temporary files, then the mount points without room or without files."""
    temporary, *lines = shown.splitlines() or ["for temporary files"]
    rows = (line.split(None, 5) for line in lines)
    rows = (row for row in rows if len(row) == 6 and row[3].isdecimal())
    return [temporary, *dict.fromkeys(row[5] for row in rows if int(row[3]) < LEAST)]


def _told(answer: dict[str, Any]) -> str:
    """Ansible shows all that was printed; one line of it is what a person needs."""
    said = f"{answer['module_stdout']}\n{answer.get('module_stderr', '')}".strip().splitlines()
    # An error of Python itself stands above the threads that it had then.
    full = [line for line in said if any(word in line for word in _NO_ROOM)]
    named = full or [line for line in said if "rror" in line or "not found" in line]
    return (named or said[-1:] or ["no output"])[0].strip()


def _not_python(answer: dict[str, Any], told: str) -> str:
    return (
        f"the module's Python on the host ended with {answer.get('rc')}: {told}. Run setup.yml; "
        f"if that does not help, look for what is done to Python in {BEFORE_EACH_COMMAND}."
    )

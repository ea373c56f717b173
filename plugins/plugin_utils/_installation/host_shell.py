# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs our shell programs on the host, over standard input.

Nothing but `sh -s` stands in the command: login shells differ in what they do with newlines and
quotes, and everybody on the host can read arguments.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.login_files import (
    BEFORE_EACH_COMMAND,
    shell_todo,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import (
    leases,
    lost_files,
    own_lease,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.node_module import (
    IsolatedCommands,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import (
    SCRIPTS,
    Question,
    program,
    question,
)

# Runs a command with something on its standard input; gives rc, stdout and stderr.
Execute = Callable[[str, bytes], Mapping[str, Any]]

_PROGRAMS = SCRIPTS / "installation"
LOST_FILES = Path(lost_files.__file__)
LEASES, OWN_LEASE = Path(leases.__file__), Path(own_lease.__file__)
_WORKER = ("common", "room", "lock", "download", "prune", "install", "uv", "change", "worker")
# Seconds that an answer may take. A slow file system needs some of them.
PATIENCE = 120
_BY_HAND = "Try `ssh HOST sh -s` by hand."
# What the small programs need besides what all share.
_PARTS = {"start": ("room", "trial")}


class HostShellAction(IsolatedCommands):
    """An action that sends nothing to the host but `sh -s`: no login shell parses a program."""

    def _execute(self, command: str, stdin: bytes) -> dict[str, Any]:
        """As Execute wants it, in the environment that the task asks for."""
        environment = self._compute_environment_string()
        whole = f"{environment} {command}".strip()
        return dict(self._low_level_execute_command(whole, in_data=stdin))


class NoAnswerError(NotebookError):
    """The host's shell ended, or said nothing that makes sense."""


def worker(settings: Mapping[str, object]) -> str:
    """The program that goes on without us; it leaves its answers in a file, for poll.sh."""
    return program(settings, *_files(_WORKER))


def small(name: str, settings: Mapping[str, object]) -> Question:
    """One of the small programs."""
    return question(settings, *_files(("common", *_PARTS.get(name, ()), name)))


def _files(names: Iterable[str]) -> list[Path]:
    return [_PROGRAMS / f"{name}.sh" for name in names]


def ask(execute: Execute, name: str, **settings: object) -> Answers:
    """Run one of the small programs and give its answers."""
    found = answer(execute, small(name, settings))
    if "error" in found:
        raise NotebookError(
            what=found["error"][0], where=str(settings["PREFIX"]), todo=_todo(found)
        )
    return found


def answer(execute: Execute, asked: Question) -> Answers:
    """What a program of any kind answers."""
    with _patience():
        result = execute("sh -s", asked.program.encode())
    found = asked.answers(str(result["stdout"]))
    if not found:
        said = (str(result["stderr"]).strip() or str(result["stdout"]).strip()).splitlines()
        raise NoAnswerError(
            what=f"`sh -s` ended with {result['rc']}: {said[-1] if said else 'no output'}",
            where="the first command on the host",
            todo=f"{shell_todo(' '.join(said))}. {_BY_HAND}",
        )
    return found


@contextmanager
def _patience() -> Iterator[None]:
    """Do not wait for ever: login files may. A `timeout` of the task itself comes first."""

    def late(*_signal: object) -> None:
        raise NoAnswerError(
            what=f"`sh -s` did not answer within {PATIENCE} s",
            where="the host",
            todo=f"{_BY_HAND} Perhaps this waits for ever: {BEFORE_EACH_COMMAND}.",
        )

    if signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _todo(found: Answers) -> str:
    return f"{found['todo'][0]}." if found.get("todo") else ""

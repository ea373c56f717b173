# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the shell programs of the installation on the host, over standard input.

Nothing but `sh -s` stands in the command: login shells differ in what they do with newlines and
quotes, and everybody on the host can read arguments.
"""

from __future__ import annotations

import shlex
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils.installation.observation import (
    Answers,
    answers,
)

# Runs a command with something on its standard input; gives rc, stdout and stderr.
Execute = Callable[[str, bytes], Mapping[str, Any]]

PROGRAMS = Path(__file__).parents[1] / "action" / "conda_distribution_shell"
WORKER = ("common", "room", "lock", "download", "prune", "install", "worker")
# Seconds that an answer may take. A slow file system needs some of them.
PATIENCE = 120
# What the small programs need besides what all share.
PARTS = {"start": ("room", "trial")}


class NoAnswerError(NotebookError):
    """The host's shell ended, or said nothing that makes sense."""


def program(names: tuple[str, ...], settings: Mapping[str, object]) -> str:
    """A shell program: its settings, then the files that it consists of."""
    values = (f"{name}={shlex.quote(str(value))}\n" for name, value in settings.items())
    files = (PROGRAMS.joinpath(f"{name}.sh").read_text(encoding="utf-8") for name in names)
    return "".join((*values, *files))


def ask(execute: Execute, name: str, **settings: object) -> Answers:
    """Run one of the small programs and give its answers."""
    files = ("common", *PARTS.get(name, ()), name)
    with _patience():
        result = execute("sh -s", program(files, settings).encode())
    found = answers(str(result["stdout"]))
    if not found:
        said = (str(result["stderr"]).strip() or str(result["stdout"]).strip()).splitlines()
        raise NoAnswerError(
            what=f"`sh -s` ended with {result['rc']}: {said[-1] if said else 'no output'}",
            where="the first command on the host",
            todo="Try `ssh HOST sh -s` by hand; the login files there may end the shell.",
        )
    if "error" in found:
        raise NotebookError(
            what=found["error"][0], where=str(settings["PREFIX"]), todo=_todo(found)
        )
    return found


@contextmanager
def _patience() -> Iterator[None]:
    """Do not wait for ever: login files may. A `timeout` of the task itself comes first."""

    def late(*_signal: object) -> None:
        raise NoAnswerError(
            what=f"`sh -s` did not answer within {PATIENCE} s",
            where="the host",
            todo="Try `ssh HOST sh -s` by hand; a login file there (~/.bashrc) may wait for ever.",
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

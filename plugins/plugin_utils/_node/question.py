# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell program for a node, whose answers nothing else there can give in its place."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers, answers

SCRIPTS = Path(__file__).parent / "scripts"
_SHARED = [SCRIPTS / "shared" / name for name in ("answer.sh", "owner.sh")]


@dataclass(frozen=True)
class Question:
    """The program, and the mark in each line of its answers."""

    program: str
    mark: str

    def answers(self, output: str) -> Answers:
        """What it answered; nothing when it did not come to its end."""
        return answers(output, self.mark)


def question(settings: Mapping[str, object], *files: Path, text: str = "") -> Question:
    """One that was never asked before: settings, then the files, then the text."""
    mark = f"hpcc-{secrets.token_hex(8)}"
    return Question(program({"MARK": mark, **settings}, *files, text=text), mark)


def program(settings: Mapping[str, object], *files: Path, text: str = "") -> str:
    """A shell program: its settings, what all share, and the files and the text that do it."""
    known = {"OWNER": "", **settings}
    values = (f"{name}={shlex.quote(str(value))}\n" for name, value in known.items())
    parts = (path.read_text(encoding="utf-8") for path in (*_SHARED, *files))
    return "".join((*values, *parts, text))

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that reaches a module's main()."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable


class NotebookError(Exception):
    """Something a person can act on, said in one line that a terminal may be given.

    Args:
        what: what went wrong, without a full stop.
        where: the file, host, option or command that it happened at; may be empty.
        todo: the next step, a whole sentence; may be empty.
    """

    def __init__(self, what: str, where: str = "", todo: str = "") -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(str(self))

    def __str__(self) -> str:
        problem = f"{self.where}: {self.what}" if self.where else self.what
        line = f"{problem}. {self.todo}" if self.todo else f"{problem}."
        return printable(" ".join(line.split()))

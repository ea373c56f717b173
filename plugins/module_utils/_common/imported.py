# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module of ours, with all of ours that it imports: what another Python needs to run it. Pure."""

from __future__ import annotations

import re
from typing import Callable, Iterator

PACKAGE = "ansible_collections.hpcc.notebook.plugins"
# Parsing all of them, as `ast` does, would take longer than all else that a task does.
_IMPORTED = re.compile(rf"^ *from ({re.escape(PACKAGE)}[\w.]*) import (\([^)]*\)|.*)", re.MULTILINE)
_COMMENT = re.compile(r"#.*")


def closure(name: str, text_of: Callable[[str], str | None]) -> dict[str, str]:
    """The texts of a module and of what it needs, by their full names.

    `text_of` tells the text of a module, and nothing where there is no module of that name.
    """
    found: dict[str, str] = {}
    left = [name]
    while left:
        module = left.pop(0)
        text = None if module in found else text_of(module)
        if text is not None:
            found[module] = text
            left += _named(text)
    return found


def _named(text: str) -> Iterator[str]:
    """What may be a module, each behind what it may lie in: `from a import b` may mean a.b."""
    for module, imported in _IMPORTED.findall(text):
        yield module
        for name in _COMMENT.sub("", imported).strip("() \n").split(","):
            if name.strip():
                yield f"{module}.{name.split()[0]}"

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from elsewhere, for people to read. Pure."""

from __future__ import annotations


def printable(value: object) -> str:
    """The value in one line, without anything that a terminal would obey."""
    return "".join(map(_shown, str(value)))


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else "?"

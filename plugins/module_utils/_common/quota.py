# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person's quota allows, as `quota -w -p` and `lfs quota` print it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_COLUMNS = 7  # used, soft limit, hard limit, grace; and of files the first three again


@dataclass(frozen=True)
class Quota:
    """Bytes and files; a limit of 0 is none."""

    used: int
    limit: int
    files: int
    files_limit: int

    @property
    def share(self) -> float:
        """Of room and of files, the part that is used of what is nearer to its limit; 1 is all."""
        pairs = ((self.used, self.limit), (self.files, self.files_limit))
        return max(used / limit for used, limit in pairs if limit)


def parse(said: str, name: str) -> Quota | None:
    """What is said of one file system, on one line or, behind a long name, on the next.

    Behind a figure stands * where it is above its limit; it stands in brackets where parts of a
    Lustre did not answer. Without any limit, there is no quota.
    """
    words = said.split()
    if name not in words:
        return None
    begin = words.index(name) + 1
    row = words[begin : begin + _COLUMNS]
    figures = [_number(word) for word in (*row[:3], *row[4:])]
    if len(row) < _COLUMNS or None in figures:
        return None
    used, soft, hard, files, soft_files, hard_files = (each or 0 for each in figures)
    found = Quota(used << 10, (hard or soft) << 10, files, hard_files or soft_files)
    return found if found.limit or found.files_limit else None


def _number(word: str) -> int | None:
    digits = word.strip("[]*")
    return int(digits) if digits.isdecimal() else None

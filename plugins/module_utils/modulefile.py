# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to happen to a modulefile. Pure: what was seen on the host goes in, a plan comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

_ENDINGS = {"lua": ".lua", "tcl": ""}


@dataclass(frozen=True)
class Plan:
    """What the role does: which file it writes and which of its older ones it removes."""

    syntax: str
    path: str
    make_directory: bool
    write: bool
    backup: bool
    remove: tuple[str, ...]


def plan(seen: Iterable[str], home: str, wanted: str, place: str) -> Plan:
    """Decide from the words of the host.

    Args:
        home: the home directory there, which is not always the one in the list of accounts.
        seen: "lua" or "tcl" (what the site's module command reads), "directory" when it exists,
            and ours:lua, other:lua, ours:tcl, other:tcl for the files that exist, with same:lua
            or same:tcl for one that is just as it would be written.
        wanted: lua, tcl, auto (whatever the site has), or absent.
        place: the modulefile's path without an ending.
    """
    words = set(seen)
    place = home + place[1:] if place.startswith("~/") else place
    syntax = ("tcl" if "tcl" in words else "lua") if wanted not in _ENDINGS else wanted
    old = [s for s in _ENDINGS if f"ours:{s}" in words and (s != syntax or wanted == "absent")]
    return Plan(
        syntax=syntax,
        path=place + _ENDINGS[syntax],
        make_directory="directory" not in words,
        write=wanted != "absent" and f"same:{syntax}" not in words,
        backup=f"other:{syntax}" in words,
        remove=tuple(place + _ENDINGS[s] for s in old),
    )

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where notebook servers run, as a table for a person. Pure: what hosts answered in, lines out."""

from __future__ import annotations

import calendar
import time
from typing import Iterator, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import name_of
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables

HEAD = ("HOST", "STATE", "STARTED", "FRONT END", "KERNELS", "LAST USED", "MEMORY", "CERTIFICATE")
MUTE = "unknown"
UNREACHABLE = "unreachable"
NOT_ASKED = "not asked"
STRANGER = "not in inventory"
LIVING = ("running", "starting", "session lost")
_UNITS = (("days", 86400), ("h", 3600), ("min", 60))


def rows(answers: Mapping[str, Variables], hosts: Mapping[str, Variables]) -> list[Variables]:
    """One description for each host that was asked, and for each that only a record speaks of.

    Args:
        answers: what notebook_server_info returned, or how it failed, by the name in the inventory.
        hosts: the variables of every host, by the same name.
    """
    recorded = {
        name_of(hosts, str(server["host"])) or str(server["host"]): server
        for server in _servers(answers)
        if not server.get("seen")
    }
    asked = [_row(name, answers[name], recorded.get(name, {})) for name in answers]
    strangers = [
        {**server, "name": name, "state": NOT_ASKED if name in hosts else STRANGER}
        for name, server in recorded.items()
        if name not in answers
    ]
    return [*asked, *strangers]


def table(found: Sequence[Variables], now: float) -> list[str]:
    """The rows beneath their heads, each column as wide as it has to be."""
    cells = [HEAD, *(_cells(row, now) for row in found)]
    widths = [max(len(cell) for cell in column) for column in zip(*cells)]
    padded = ("  ".join(map(str.ljust, line, widths)) for line in cells)
    return [line.rstrip() for line in padded]


def remarks(found: Sequence[Variables], answers: Mapping[str, Variables]) -> list[str]:
    """What does not fit in a table: notes, and records that nobody can read."""
    noted = [f"{row['name']}: {printable(note)}" for row in found for note in _notes(row)]
    damaged = (line for answer in answers.values() for line in _list(answer.get("damaged")))
    return [*noted, *dict.fromkeys(printable(line) for line in damaged)]


def living(found: Sequence[Variables]) -> list[Variables]:
    """Those that a tunnel leads to."""
    return [row for row in found if row["state"] in LIVING]


def ago(moment: str, now: float) -> str:
    """A moment in UTC, such as 2026-07-18T09:30:00Z, as people say it."""
    try:
        then = calendar.timegm(time.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return "-"
    seconds = max(0.0, now - then)
    for unit, size in _UNITS:
        if seconds >= (2 * size if unit == "days" else size):
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def _servers(answers: Mapping[str, Variables]) -> Iterator[Variables]:
    for answer in answers.values():
        servers = answer.get("servers")
        yield from servers if isinstance(servers, list) else []


def _row(name: str, answer: Variables, recorded: Variables) -> Variables:
    """What a host says of itself; when it says nothing, what others have of it."""
    own = [server for server in _servers({name: answer}) if server.get("seen")]
    if own:
        return {**own[0], "name": name, "certificate_days": answer.get("certificate_days")}
    state = MUTE if answer.get("reached", True) else UNREACHABLE
    return {**recorded, "name": name, "state": state, "notes": [_reason(answer)]}


def _reason(answer: Variables) -> str:
    return str(answer.get("msg") or "it was not asked").strip().splitlines()[0]


def _notes(row: Variables) -> list[object]:
    return _list(row.get("notes"))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _cells(row: Variables, now: float) -> tuple[str, ...]:
    memory, days = row.get("memory"), row.get("certificate_days")
    alive = row["state"] in (*LIVING, "silent")
    found = (
        row["name"],
        row["state"],
        ago(str(row.get("since", "")), now),
        row.get("version"),
        row.get("kernels"),
        ago(str(row.get("last_activity", "")), now),
        f"{memory // 1000000} MB" if isinstance(memory, int) else None,
        f"{days} days" if alive and isinstance(days, int) else None,
    )
    return tuple("-" if cell is None else printable(cell) for cell in found)

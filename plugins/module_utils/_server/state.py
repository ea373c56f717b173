# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is called the state of a server, and what is to be said beside it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

OUTDATED = "its configuration or password was changed after its start; restart applies that"
_NEW = "start starts a new server"
STARTING = 60.0  # seconds in which a server that does not answer yet is not called silent


@dataclass(frozen=True)
class Seen:
    """What there is of the server of a profile on this host."""

    alive: bool = False  # a process of ours
    answers: bool = False  # it showed our certificate and knew our token
    session: bool = False  # tmux answers for it
    age: float = 0.0  # seconds since its start
    recorded: bool = False  # a start has left its record
    rebooted: bool = False  # the host was, since then
    renewed: bool = False  # it shows another certificate than the one of the profile
    outdated: bool = False  # its configuration was written after its start
    newer: str = ""  # which generation is installed meanwhile
    root: str = ""  # why nobody can list its notebooks
    trouble: str = ""  # what it answered instead
    near: tuple[str, ...] = ()  # limits that are almost reached
    last_words: str = ""  # what it logged before it ended


def state(seen: Seen) -> str:
    """One or two words for a table."""
    if seen.alive:
        if not seen.answers:
            return "starting" if seen.age < STARTING and not seen.trouble else "silent"
        return "running" if seen.session else "session lost"
    if seen.session:
        return "server lost"
    if not seen.recorded:
        return "stopped"
    return "rebooted" if seen.rebooted else "dead"


def notes(seen: Seen) -> list[str]:
    """What a person should know or do."""
    return list(_notes(seen, state(seen)))


def _notes(seen: Seen, called: str) -> Iterator[str]:
    if called == "silent":
        yield f"it does not answer{_because(seen.trouble)}; restart it"
    if called == "session lost":
        yield "the socket of its tmux is gone; start makes it again, and the server goes on"
    if called == "server lost":
        yield f"only the tmux session is left; {_NEW}"
    if called == "dead":
        yield f"it ended without being stopped{_because(seen.last_words)}; {_NEW}"
    if called == "rebooted":
        yield f"the host rebooted; {_NEW}"
    if seen.renewed:
        yield "it still shows the certificate from before its renewal; restart it"
    if seen.outdated:
        yield OUTDATED
    if seen.newer:
        yield seen.newer
    if seen.root:
        yield seen.root
    yield from seen.near


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""

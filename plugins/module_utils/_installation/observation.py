# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probe saw on the host, as one value. Pure: lines go in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers

Record = Mapping[str, str]


@dataclass(frozen=True)
class Observed:
    """The host, the prefix and what lies beside it."""

    prefix: str
    home: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()  # of the account, by name and by number
    readers: str = ""  # mode and group of the store, by name and by number
    machine: str = ""
    libc: str = ""
    tools: tuple[str, ...] = ()
    what: str = "nothing"
    target: str = ""
    live: str = ""
    complete: Mapping[str, Record] = field(default_factory=dict)
    python: str = ""
    host_python: str = ""
    dists: tuple[str, ...] = ()
    condas: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()  # what no new generation can be called
    downloads: tuple[str, ...] = ()  # installers that an earlier run has brought and checked
    changing: str = ""  # the names of what an earlier run was changing when it was cut off
    lost: tuple[Record, ...] = ()  # packages of which files are missing
    damaged: tuple[Record, ...] = ()  # the same of Python itself and of what repairs packages
    turn: Record = field(default_factory=dict)  # which generation was live before which
    foreign: Record = field(default_factory=dict)  # what a directory is that we did not make
    store: str = "none"  # ours, old, empty, foreign or none
    ours: bool = False  # whether the store holds anything of ours
    using: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()  # processes of others that say they run from it
    elsewhere: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    held: str = "free"
    holder: Record = field(default_factory=dict)
    life: str = ""  # what changes as long as the holder lives, where that can be looked at
    place: str = ""
    writable: bool = True
    kib: int | None = None
    inodes: int | None = None

    @property
    def marker(self) -> Record:
        """The completion marker of the live generation; empty when it has none."""
        return self.complete.get(self.live, {})


def record(text: str) -> Record:
    """A record such as "pid=12 host=dev1"."""
    return dict(_pair(word) for word in text.split() if "=" in word)


def observed(found: Answers) -> Observed:
    """The probe's answers with types."""

    def one(name: str) -> str:
        return found.get(name, [""])[0]

    markers = [record(text) for text in found.get("complete", [])]
    return Observed(
        prefix=one("prefix"),
        home=one("home"),
        user=one("user"),
        groups=tuple(one("groups").split()),
        readers=one("readers"),
        machine=one("machine"),
        libc=one("libc"),
        tools=tuple(found.get("tool", [])),
        what=one("what"),
        target=one("target"),
        live=one("live"),
        complete={marker["name"]: marker for marker in markers},
        python=one("python"),
        host_python=one("host_python"),
        dists=_names(found.get("dist", [])),
        condas=_names(found.get("conda", [])),
        taken=_names(found.get("taken", [])),
        downloads=_names(found.get("download", [])),
        changing=" ".join(found.get("changing", [])),
        lost=tuple(map(record, found.get("lost", []))),
        damaged=tuple(map(record, found.get("damaged", []))),
        turn=record(one("turn")),
        foreign=record(one("foreign")),
        store=one("store"),
        ours=one("ours") == "yes",
        using=tuple(found.get("using", [])),
        hints=tuple(found.get("hint", [])),
        elsewhere=tuple(found.get("elsewhere", [])),
        inside=tuple(found.get("inside", [])),
        held=one("held"),
        holder=record(one("holder")),
        life=one("life"),
        place=one("place"),
        writable=one("writable") == "yes",
        kib=_number(one("kib")),
        inodes=_number(one("inodes")),
    )


def _pair(word: str) -> tuple[str, str]:
    name, _equals, value = word.partition("=")
    return name, value


def _names(values: Iterable[str]) -> tuple[str, ...]:
    """Without the pattern that the shell gives back when nothing matches it."""
    return tuple(value for value in values if "*" not in value)


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None

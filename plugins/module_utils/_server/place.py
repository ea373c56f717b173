# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the node-local directory of a server: where it lives, or where one may be started.

Anybody can make a directory of a known name in /tmp first. That costs nothing but the name: the
next one is made from a secret of the profile, so that every run finds it and nobody else can
take it before. Where a living server is, its own process says.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._server import readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server import session as server_session
from ansible_collections.hpcc.notebook.plugins.module_utils._server.launch import launched, placed
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record

OTHERS = 256  # names made from the secret: a neighbour can take each that she has seen in use


def here(profile: str) -> Layout:
    """Where everything of a profile lies on this host.

    A directory that ends with the account's last login would take the socket from under a living
    server; so it is used only where the account lingers, and no server of ours lives elsewhere.
    """
    usual = named(Layout(files.home(), profile, processes.short_hostname(), os.geteuid()))
    place = next((placed(_words(pid)) for pid in servers(usual)), "")
    return replace(usual, place=place) if place else startable(usual)


def _words(pid: int) -> list[str]:
    environment = processes.environment(pid).items()
    return [*processes.command_line(pid), *(f"{name}={value}" for name, value in environment)]


def named(layout: Layout) -> Layout:
    """Where this host's record lies: two clusters that share a home may both have a `dev1`."""
    full = processes.full_hostname()
    own = replace(layout, stem=full)
    if not full or full == layout.host or not (_recorded(own) or _is_of_another(layout, full)):
        return layout
    return own


def _is_of_another(layout: Layout, full: str) -> bool:
    """Whether the short name's record is one of another host; an unknown name is not judged."""
    record = _recorded(layout)
    if record is None or not record.node or record.boot_id == processes.boot_id():
        return False
    return _canonical(record.node) != _canonical(full)


def _canonical(name: str) -> str:
    """A host's name as the name service compares it."""
    return name.rstrip(".").lower()


def _recorded(layout: Layout) -> Record | None:
    try:
        content = files.read(layout.record)
        return None if content is None else server_record.parse(content, layout.record)
    except NotebookError:
        return None  # said by whoever needs it


def startable(layout: Layout) -> Layout:
    """Where a server may be started: the first directory of ours, of those in use if any is."""
    usable = [each for each in _candidates(layout) if obstacle(each) is None]
    if not usable:
        what = f"{obstacle(replace(layout, place=''))}, and so is every other name for it"
        raise NotebookError(what, replace(layout, place="").local, "Ask the site to remove it.")
    return next(filter(_in_use, usable), usable[0])


def notice(layout: Layout) -> str | None:
    """What a person should know when another directory than the usual is used."""
    usual = replace(layout, place="")
    why = obstacle(layout)
    if why:
        return f"{layout.local} {why}: no new kernel is started there; restart the server"
    why = obstacle(usual)
    return f"{usual.local} {why}; {layout.local} is used instead" if why else None


def obstacle(layout: Layout) -> str | None:
    """Why a directory cannot be trusted, as far as it exists; one of ours can be closed."""
    try:
        if files.private_directory_reason(layout.local) == "missing":
            return None
        strangers = [*files.foreign(layout.local), *files.foreign(layout.runtime)]
    except NotebookError as error:
        return error.what
    return f"holds {strangers[0]}, which belongs to somebody else" if strangers else None


def ours(layout: Layout) -> list[Layout]:
    """Every directory that there is and in which nothing belongs to anybody else."""
    known = {each.local: each for each in (layout, *_candidates(layout))}
    return [each for each in known.values() if obstacle(each) is None and _is_there(each)]


def servers(layout: Layout) -> list[int]:
    """The living servers of a profile, by their command lines, the oldest first.

    Each leads a session of its own, unlike what it forks; tmux carries the same words.
    """
    found = [pid for pid in processes.sessions_of(layout.uid) if _serves(pid, layout)]
    return sorted(found, key=lambda pid: processes.start_time(pid) or 0)


def _serves(pid: int, layout: Layout) -> bool:
    argv = processes.command_line(pid)
    return launched(argv, {}, layout) is not None and Path(argv[0]).name != "tmux"


def _candidates(layout: Layout) -> list[Layout]:
    """In the order of preference."""
    base = server_session.runtime_directory(layout.uid)
    lasting = replace(layout, place=f"{base}/{layout.name}")
    stays = server_session.lingers(server_session.person(layout.uid)[0]) and lasting.fits()
    first = [lasting] if _is_private(base) and (stays or _in_use(lasting)) else []
    return [*first, replace(layout, place=""), *_others(layout)]


def _others(layout: Layout) -> list[Layout]:
    try:
        secret = readiness.token(layout)
    except NotebookError:
        secret = ""
    names = (layout.secret_place(secret, number) for number in range(OTHERS))
    return [replace(layout, place=name) for name in names]


def _in_use(layout: Layout) -> bool:
    """Whether a server was started there; a directory that we cannot enter is not ours."""
    try:
        return any(Path(path).is_socket() for path in (layout.tmux_socket, layout.socket))
    except OSError:
        return False


def _is_there(layout: Layout) -> bool:
    return files.private_directory_reason(layout.local) != "missing"


def _is_private(directory: str) -> bool:
    try:
        return files.private_directory_reason(directory) is None
    except NotebookError:
        return False

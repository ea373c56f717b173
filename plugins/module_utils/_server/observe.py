# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: find the one server of a profile on this host; nothing is changed.

What is true is a living process of ours whose command line is one that we start. Notes, sockets
and tmux only say where to look for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import timestamp
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.processes import Process
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import (
    PASSWORD_FILE,
    SERVER_CONFIG,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import place, probe, readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server import session as server_session
from ansible_collections.hpcc.notebook.plugins.module_utils._server.launch import launched
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    Launch,
    Layout,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.plan import Found
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import Endpoint, Trust
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record

# The last two are of a server that is a job: how ssh gets to it.
LOCAL_FILES = ("notebook.sock", "trial.sock", "tmux.sock", "lock", "entrance", "relay.ctl")
ROUNDING = 2.0  # seconds: the kernel knows the time of a start only so well
RUNTIME_FILES = ("jpserver-", "nbserver-", "kernel-", "nbsignatures.db", "jupyter_cookie_secret")


@dataclass(frozen=True)
class Running(Process):
    """A living server that is provably ours."""

    launch: Launch
    python: str = ""  # as it was started: by the path of its generation

    def age(self) -> float:
        """For how many seconds it has been running."""
        return time.time() - processes.wall_clock(self.start_time)

    def since(self) -> str:
        """When it was started, in UTC."""
        return timestamp(processes.wall_clock(self.start_time))


@dataclass(frozen=True)
class Observed:
    """What there is on this host."""

    running: Running | None
    session: bool
    record: Record | None
    tmux: Process | None = None
    leftovers: bool = False

    def found(self) -> Found:
        """What of it a decision depends on."""
        return Found(
            running=self.running.launch if self.running else None,
            session=self.session,
            tmux=self.tmux is not None,
            noted=self._record_fits(),
            before=self.past(),
            leftovers=self.leftovers,
        )

    def past(self) -> str | None:
        """What became of the server that the record speaks of."""
        if self.record is None or self.running:
            return None
        if self.rebooted():
            return f"the host was rebooted since the start of {self.record.since}"
        return f"the server of {self.record.since} is gone"

    def rebooted(self) -> bool:
        """Whether the record is one from before the host was started."""
        return self.record is not None and self.record.boot_id != processes.boot_id()

    def _record_fits(self) -> bool:
        if self.record is None or self.running is None:
            return False
        noted = Process(self.record.pid, self.record.start_time)
        return noted == Process(self.running.pid, self.running.start_time)


def endpoint(layout: Layout, launch: Launch) -> Endpoint:
    """Where a server listens that was launched so."""
    over_tcp = launch.transport == "tcp"
    return Endpoint(port=launch.port) if over_tcp else Endpoint(path=layout.socket)


def trust(layout: Layout) -> Trust:
    """What our server shows: Jupyter reads its certificate for each connection, even a renewed."""
    return Trust(readiness.certificate_sha256(layout))


def observe(layout: Layout, session: str) -> Observed:
    """Look for our server from all sides."""
    return around(layout, session, recorded(layout.record))


def around(layout: Layout, session: str, record: Record | None) -> Observed:
    """The same with what the record says, which may be nothing."""
    panes = server_session.pane_pids(layout, session)
    listener = probe.peer_pid(Endpoint(path=layout.socket))
    hinted = [listener or 0, record.pid if record else 0, *place.servers(layout)]
    running = _first_of_ours(layout, [*panes, *filter(None, hinted)])
    mendable = any(each.local == layout.local for each in place.ours(layout))
    tmux = server_session.tmux_above(layout, running.pid) if running and mendable else None
    return Observed(running, bool(panes), record, tmux, bool(leftovers(layout)))


def recorded(path: str) -> Record | None:
    """The record in a file; None when there is no such file."""
    content = files.read(path)
    return None if content is None else server_record.parse(content, path)


def record_paths(layout: Layout) -> list[str]:
    """The files of all records: not what is half written, nor the sockets of tunnels."""
    names = files.entries(layout.records)
    kept = (name for name in names if name.endswith(".json") and not name.startswith("."))
    return [f"{layout.records}/{name}" for name in kept]


def recorded_job(layout: Layout) -> dict[str, object]:
    """Whether a job was submitted for this profile: only then is a scheduler asked."""
    return {"job": layout.job} if files.read(layout.submission) is not None else {}


def a_job_may_begin(layout: Layout) -> bool:
    """Whether a job was submitted for this profile that has left no word of its end."""
    return files.read(layout.submission) is not None and files.read(layout.job_end) is None


def elsewhere(layout: Layout) -> tuple[list[Record], list[str]]:
    """The records of other hosts, and what is wrong with the files that are none."""
    found, damaged = [], []
    for path in record_paths(layout):
        if path == layout.record:
            continue
        try:
            record = recorded(path)
            found += [server_record.require_host(record, path)] if record else []
        except NotebookError as error:
            damaged.append(str(error))
    return found, damaged


def changed_since(layout: Layout, running: Running) -> bool:
    """Whether something that is read at the start only was written after it."""
    paths = (Path(layout.at(name)) for name in (SERVER_CONFIG, PASSWORD_FILE, "security/token"))
    begun = processes.wall_clock(running.start_time)
    return any(path.exists() and path.stat().st_mtime > begun + ROUNDING for path in paths)


def leftovers(layout: Layout) -> list[str]:
    """What we, Jupyter and tmux leave on the node; the history of IPython is the person's."""
    return [path for each in place.ours(layout) for path in _left_in(each)]


def _left_in(layout: Layout) -> list[str]:
    found: list[str] = []
    trial = layout.beside().runtime
    places = {trial: ("",), layout.runtime: RUNTIME_FILES, layout.local: LOCAL_FILES}
    for directory, ours in places.items():
        there = files.entries(directory)
        found += [f"{directory}/{name}" for name in there if name.startswith(ours)]
        emptied = all(f"{directory}/{name}" in found for name in there)
        if emptied and files.private_directory_reason(directory) != "missing":
            found.append(directory)
    return found


def kernels(layout: Layout, running: Running) -> list[Process]:
    """The kernels of a server: what it has started with a connection file of ours."""
    mark = f"{layout.runtime}/kernel-"
    begun = processes.children(running.pid)
    return [each for each in begun if mark in " ".join(processes.command_line(each.pid))]


def _first_of_ours(layout: Layout, pids: Sequence[int]) -> Running | None:
    for pid in pids:
        started = processes.start_time(pid)
        argv = processes.command_line(pid)
        launch = launched(argv, processes.environment(pid), layout)
        if started is not None and launch and processes.owner(pid) == layout.uid:
            return Running(pid, started, launch, argv[0])
    return None

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
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils import (
    files,
    probe,
    processes,
    readiness,
    server_record,
    tmux,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.probe import Endpoint, Trust
from ansible_collections.hpcc.notebook.plugins.module_utils.server import Launch, Layout, launched
from ansible_collections.hpcc.notebook.plugins.module_utils.server_record import Record

ANSWER_WITHIN = 5.0  # seconds for tmux, which answers at once or never


@dataclass(frozen=True)
class Running:
    """A living server that is provably ours."""

    pid: int
    start_time: int
    launch: Launch

    def alive(self) -> bool:
        """Whether this very process still lives; its pid alone may be somebody else's by now."""
        return processes.start_time(self.pid) == self.start_time

    def age(self) -> float:
        """For how many seconds it has been running."""
        return time.time() - processes.wall_clock(self.start_time)

    def since(self) -> str:
        """When it was started, in UTC."""
        seconds = time.gmtime(processes.wall_clock(self.start_time))
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", seconds)


@dataclass(frozen=True)
class Observed:
    """What there is on this host."""

    running: Running | None
    session: bool
    record: Record | None

    def record_fits(self) -> bool:
        """Whether the record speaks of the server that is running."""
        if self.record is None or self.running is None:
            return False
        return (self.record.pid, self.record.start_time) == (
            self.running.pid,
            self.running.start_time,
        )

    def past(self) -> str | None:
        """What became of the server that the record speaks of."""
        if self.record is None or self.running:
            return None
        if self.record.boot_id != processes.boot_id():
            return f"the host was rebooted since the start of {self.record.since}"
        return f"the server of {self.record.since} is gone"


def endpoint(layout: Layout, launch: Launch) -> Endpoint:
    """Where a server listens that was launched so."""
    over_tcp = launch.transport == "tcp"
    return Endpoint(port=launch.port) if over_tcp else Endpoint(path=layout.socket)


def trust(layout: Layout) -> Trust:
    """What our server shows: Jupyter reads its certificate for each connection, even a renewed."""
    return Trust(readiness.certificate_sha256(layout))


def observe(layout: Layout, session: str) -> Observed:
    """Look for our server from all sides."""
    content = files.read(layout.record)
    record = None if content is None else server_record.parse(content, layout.record)
    hinted = [record.pid] if record else []
    if files.private_directory_reason(layout.local) == "missing":
        return Observed(_first_of_ours(layout, hinted), False, record)
    panes = pane_pids(layout, session)
    listener = probe.peer_pid(Endpoint(path=layout.socket))
    pids = [*panes, *hinted, *([listener] if listener else [])]
    return Observed(_first_of_ours(layout, pids), bool(panes), record)


def pane_pids(layout: Layout, session: str) -> list[int]:
    """The processes that tmux keeps in our session; none when there is no session."""
    asked = run_tmux(tmux.pane_pids(layout.tmux_socket, session))
    return [int(line) for line in asked.stdout.split()] if asked.code == 0 else []


def run_tmux(argv: Sequence[str], env: dict[str, str] | None = None) -> processes.Completed:
    """Run tmux, wherever it lies."""
    return processes.run([processes.program(argv[0]), *argv[1:]], timeout=ANSWER_WITHIN, env=env)


def _first_of_ours(layout: Layout, pids: Sequence[int]) -> Running | None:
    for pid in pids:
        started = processes.start_time(pid)
        launch = launched(processes.command_line(pid), layout)
        if started is not None and launch and processes.owner(pid) == layout.uid:
            return Running(pid, started, launch)
    return None

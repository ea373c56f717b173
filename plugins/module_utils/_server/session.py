# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the tmux session that a server runs in, and what becomes of it at logout."""

from __future__ import annotations

import os
import pwd
import signal
import time
from pathlib import Path
from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.processes import Process
from ansible_collections.hpcc.notebook.plugins.module_utils._server import logind, tmux
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.logind import Logind

ANSWER_WITHIN = 5.0  # seconds for tmux and logind, which answer at once or never
POLL = 0.05
SYSTEMD = Path("/run/systemd/system")
LINGERING = Path("/var/lib/systemd/linger")


def person(uid: int) -> tuple[str, str]:
    """Login name and shell; directories of users that are down must not stop a start."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return os.environ.get("LOGNAME", str(uid)), "/bin/sh"
    return entry.pw_name, entry.pw_shell or "/bin/sh"


def runtime_directory(uid: int) -> str:
    """What pam_systemd gives to an account, as long as its systemd runs."""
    return f"/run/user/{uid}"


def lingers(user: str) -> bool:
    """Whether the account keeps its systemd, and that directory, without being logged in."""
    return (LINGERING / user).exists()


def what_survives(uid: int, user: str) -> Logind:
    """How this host treats what an account leaves running."""
    if not SYSTEMD.is_dir():
        return Logind()
    try:
        shown = processes.run([processes.program("loginctl"), *logind.SHOW[1:]], timeout=5).stdout
    except NotebookError:
        return Logind()  # no logind, so nothing that ends a session's processes
    manager = Path(f"{runtime_directory(uid)}/systemd/private").is_socket()
    return Logind(logind.kills(shown, user), manager, lingers(user))


def new(
    layout: Layout, session: str, line: Sequence[str], env: Mapping[str, str], survives: Logind
) -> Process:
    """Start a session with this command; give the process that the command becomes."""
    if not files.is_our_socket(layout.tmux_socket):
        files.remove(layout.tmux_socket)  # in our own directory, whatever was put there
    argv = tmux.new_session(layout.tmux_socket, session, line)
    place = {"XDG_RUNTIME_DIR": runtime_directory(layout.uid)} if survives.in_scope else {}
    done = _run(logind.surviving(argv, survives), {**env, **place})
    if done.code != 0:
        raise NotebookError(f"cannot make a session: {done.stderr.strip()}", "tmux")
    pid = _numbers(done.stdout)[0]
    return Process(pid, processes.start_time(pid) or 0)


def pane_pids(layout: Layout, session: str) -> list[int]:
    """The processes that tmux keeps in our session; none when there is none, or tmux is stuck."""
    if not files.is_our_socket(layout.tmux_socket):
        return []  # a tmux of somebody else could make its client run anything
    try:
        asked = _run(tmux.pane_pids(layout.tmux_socket, session))
        return _numbers(asked.stdout) if asked.code == 0 else []
    except NotebookError:
        return []


def _numbers(said: str) -> list[int]:
    try:
        return [int(line) for line in said.split()]
    except ValueError as error:
        raise NotebookError(f"says {said.strip()!r} instead of a process", "tmux") from error


def end(layout: Layout, session: str) -> None:
    """End a session, if there is one; other windows in it end with it."""
    if pane_pids(layout, session):
        _run(tmux.kill_session(layout.tmux_socket, session))


def tmux_above(layout: Layout, pid: int) -> Process | None:
    """The tmux that one of our processes runs in, found without its socket."""
    above = processes.parent(pid) or 0
    started = processes.start_time(above)
    ours = processes.owner(above) == layout.uid
    if started is None or not ours or layout.tmux_socket not in processes.command_line(above):
        return None
    return Process(above, started)


def mend(layout: Layout, session: str, lost: Process) -> None:
    """Let a living tmux make its socket again, which something has removed."""
    processes.send_signal(lost.pid, signal.SIGUSR1)
    deadline = time.monotonic() + ANSWER_WITHIN
    while not pane_pids(layout, session):
        if time.monotonic() > deadline:
            what = f"tmux (process {lost.pid}) does not make its socket again"
            raise NotebookError(what, layout.tmux_socket, "Restart the server.")
        time.sleep(POLL)


def _run(argv: Sequence[str], env: Mapping[str, str] | None = None) -> processes.Completed:
    """Run a program, wherever it lies."""
    return processes.run([processes.program(argv[0]), *argv[1:]], timeout=ANSWER_WITHIN, env=env)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: stop a server: ask it, then terminate it, then kill it."""

from __future__ import annotations

import signal
import time

from ansible_collections.hpcc.notebook.plugins.module_utils import (
    files,
    probe,
    processes,
    readiness,
    tmux,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils.server import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils.server_observe import (
    Observed,
    Running,
    endpoint,
    pane_pids,
    run_tmux,
    trust,
)

POLL = 0.05
ANSWER_WITHIN = 5.0  # seconds for the request to shut down
CLEAN_WITHIN = 15.0  # seconds for kernels to end; what runs in them is not waited for
SIGNAL_WITHIN = 5.0  # seconds for the effect of a signal


def stop(layout: Layout, session: str, observed: Observed) -> str:
    """Stop what there is; say what that took."""
    how = "only a session was left"
    if observed.running:
        how = _stop_server(layout, observed.running)
    _tidy(layout, session)
    return how


def end(running: Running, layout: Layout, session: str) -> None:
    """End a server that must not go on, without asking it."""
    _signalled(running)
    _tidy(layout, session)


def _stop_server(layout: Layout, running: Running) -> str:
    if _asked(layout, running) and _gone(running, CLEAN_WITHIN):
        return "it shut down cleanly"
    return _signalled(running)


def _asked(layout: Layout, running: Running) -> bool:
    """Whether the server accepted to shut down by itself."""
    where, token = endpoint(layout, running.launch), readiness.token(layout)
    try:
        shown = trust(layout)
        answer = probe.request(where, shown, "POST", "/api/shutdown", token, ANSWER_WITHIN)
    except (OSError, NotebookError):
        return False
    return answer.status == 200


def _signalled(running: Running) -> str:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if running.alive():
            processes.send_signal(running.pid, number)
        if _gone(running, SIGNAL_WITHIN):
            return f"{number.name} was needed"
    what = f"process {running.pid} survived SIGKILL"
    raise NotebookError(what, todo="It waits for a file system; ask the site.")


def _gone(running: Running, within: float) -> bool:
    deadline = time.monotonic() + within
    while running.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def _tidy(layout: Layout, session: str) -> None:
    """Remove what a server leaves behind; other windows of the session end with it."""
    if pane_pids(layout, session):
        run_tmux(tmux.kill_session(layout.tmux_socket, session))
    files.remove(layout.socket)
    files.remove(layout.record)

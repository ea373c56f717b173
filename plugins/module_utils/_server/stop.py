# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: stop a server and its kernels: ask it, then terminate it, then kill it."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.processes import Process
from ansible_collections.hpcc.notebook.plugins.module_utils._server import place, probe, readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server import session as server_session
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    Observed,
    Running,
    endpoint,
    kernels,
    leftovers,
    trust,
)

POLL = 0.05
ANSWER_WITHIN = 5.0  # seconds for the request to shut down
CLEAN_WITHIN = 15.0  # seconds for kernels to end; what runs in them is not waited for
SIGNAL_WITHIN = 10.0  # seconds for the effect of a signal: a busy node is slow
# Jupyter loses a signal that comes while it writes its log ("reentrant call" stands there then).
SIGNALS = (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL)


@dataclass(frozen=True)
class Stopped:
    """What it took to stop a server, and how many kernels went with it."""

    how: str
    kernels: int = 0


def stop(layout: Layout, session: str, observed: Observed) -> Stopped:
    """Stop what there is; say what that took."""
    stopped = Stopped("only a session was left")
    if observed.running:
        stopped = stop_server(layout, observed.running)
    _tidy(layout, session)
    return stopped


def sweep(layout: Layout) -> None:
    """Remove what is left on the node after the end of a server."""
    for path in leftovers(layout):
        files.remove(path)


def end(running: Running, layout: Layout, session: str) -> None:
    """End a server that must not go on, without asking it."""
    begun = kernels(layout, running)
    _signalled([running])
    _signalled(begun)
    _tidy(layout, session)


def stop_server(layout: Layout, running: Running) -> Stopped:
    """Jupyter ends its kernels itself; one that was killed cannot, and would leave them behind."""
    begun = kernels(layout, running)
    if _asked(layout, running) and _gone([running], CLEAN_WITHIN):
        how = "it shut down cleanly"
    else:
        how = f"{_signalled([running])} was needed"
    if not _gone(begun, SIGNAL_WITHIN):
        how += f", and {_signalled(begun)} for its kernels"
    return Stopped(how, len(begun))


def _asked(layout: Layout, running: Running) -> bool:
    """Whether the server accepted to shut down by itself."""
    where, token = endpoint(layout, running.launch), readiness.token(layout)
    try:
        shown = trust(layout)
        answer = probe.request(where, shown, "POST", "/api/shutdown", token, ANSWER_WITHIN)
    except (OSError, NotebookError):
        return False
    return answer.status == 200


def _signalled(ours: Sequence[Process]) -> str:
    """End processes that are proven to be ours; say which signal they needed."""
    for number in SIGNALS:
        for process in ours:
            if process.alive():
                processes.send_signal(process.pid, number)
                processes.send_signal(process.pid, signal.SIGCONT)  # one that is suspended is deaf
        if _gone(ours, SIGNAL_WITHIN):
            return number.name
    left = " ".join(str(process.pid) for process in ours if process.alive())
    what = f"process {left} survived SIGKILL"
    raise NotebookError(what, todo="It waits for a file system; ask the site.")


def _gone(ours: Sequence[Process], within: float) -> bool:
    deadline = time.monotonic() + within
    while any(process.alive() for process in ours):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def _tidy(layout: Layout, session: str) -> None:
    """Remove what a server leaves behind; other windows of the session end with it."""
    server_session.end(layout, session)
    for each in place.ours(layout):
        files.remove(each.socket)
    files.remove(layout.record)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: let a kernel compute while its server starts; without one, nothing is started."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Iterator

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import reason_in
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.processes import Process
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import proof
from ansible_collections.hpcc.notebook.plugins.module_utils._server.launch import (
    clean_environment,
    surrounded,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch, Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person

POLL = 0.02
LATE = 10.0  # seconds that the proof has for its own end, after it gave up on the kernel


@dataclass(frozen=True)
class Proof:
    """A kernel that is being tried, and where the answer will stand."""

    process: Process
    log: str
    deadline: float

    def require(self) -> None:
        """Wait for the sum; NotebookError when there is none."""
        while self.process.alive() and time.monotonic() < self.deadline:
            time.sleep(POLL)
        said = (files.read(self.log) or b"").decode("utf-8", "replace")
        reason = reason_in(said)
        if reason:
            todo = "Run setup.yml; it asks the Python of nbserver_profile_python for a kernel."
            raise NotebookError(f"no kernel can be started: {reason}", self.log, todo)
        files.remove(self.log)


@contextlib.contextmanager
def proving(
    layout: Layout, launch: Launch, shell: str, python: str, timeout: float
) -> Iterator[Proof]:
    """Start the kernel of the profile beside its server, in the same surroundings."""
    log = f"{layout.logs}/kernel.log"
    files.write_private(log, b"")
    line = surrounded(shell, layout, launch, log, proof.kernel_argv(python, timeout))
    environment = clean_environment(layout.home, *person(layout.uid))
    with processes.child(line, environment) as process:
        yield Proof(process, log, time.monotonic() + timeout + LATE)

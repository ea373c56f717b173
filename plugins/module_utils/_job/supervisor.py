# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the program that is the job: it serves, and ends in order when it has to.

It is sent in one piece with all that it imports, and lies beside the record of the job. What it
does there for hours is to look once a second whether the server lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import time
from typing import Iterator, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, generations
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission
from ansible_collections.hpcc.notebook.plugins.module_utils._job.margin import margin
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import End, Submission
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import time_left
from ansible_collections.hpcc.notebook.plugins.module_utils._server import probe, readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server import report as server_report
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    Layout,
    require_short_sockets,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    Running,
    endpoint,
    kernels,
    observe,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.place import here, startable
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import timestamp
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.start import (
    require_modules,
    serving,
    write_record,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.stop import stop_server, sweep

POLL = 1.0  # seconds
ANSWER_WITHIN = 5.0
INTERRUPTED_WITHIN = 2.0  # seconds for cells to notice
# How schedulers announce an end: by these, some time before SIGKILL.
_ENDING = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
)


# What a scheduler tells its job of what it has: devices, cores, a directory for temporary files.
_GRANTED = re.compile(
    r"(SLURM|SLURMD|PBS|SGE|LSB|LSF)_\w+|(CUDA|ROCR|HIP|NVIDIA)_VISIBLE_DEVICES|"
    r"GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK|TMPDIR|JOB_ID|NSLOTS|QUEUE"
)


def granted(environment: Mapping[str, str]) -> dict[str, str]:
    """That part of the environment of a job which its kernels have to know."""
    return {name: value for name, value in environment.items() if _GRANTED.fullmatch(name)}


class Ending(BaseException):
    """The scheduler has sent a signal."""


def main() -> None:
    """Serve what the record asks for; leave the reason of the end beside it."""
    profile, mark, job = sys.argv[1:4]
    begun = time.time()
    layout = here(profile)
    wanted = recorded(layout)
    if wanted is None or wanted.mark != mark:
        sys.stdout.write(f"job {job} is not the one that is recorded for this profile: it ends\n")
        return
    with _signals():
        try:
            reason = _serve(layout, wanted, job, begun)
        except NotebookError as error:
            reason = f"no server was started: {error}"
        except Ending as ending:
            reason = str(ending)
    sys.stdout.write(f"{reason}\n")
    end = End(mark, reason, timestamp(time.time()))
    files.write_private(submission.end_path(layout), submission.serialise(end))


def recorded(layout: Layout) -> Submission | None:
    """The job that is recorded for a profile."""
    path = layout.submission
    content = files.read(path)
    return None if content is None else submission.parse(content, path)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Have the first signal raised as Ending; what ends in order is not interrupted by another."""

    def end(number: int, _frame: object) -> None:
        for other in _ENDING:
            signal.signal(other, signal.SIG_IGN)
        name = signal.Signals(number).name
        raise Ending(f"the scheduler ended the job ({name})")

    for number in _ENDING:
        signal.signal(number, end)
    yield


def _serve(layout: Layout, wanted: Submission, job: str, begun: float) -> str:
    """Why it ended."""
    layout = startable(layout)
    _require_startable(layout, wanted)
    files.make_private_directory(layout.local)
    deadline = begun + wanted.walltime - margin(wanted.walltime)
    told = {time_left.END: time_left.announced(deadline, wanted.walltime), **granted(os.environ)}
    try:
        with serving(layout, wanted.launch, _python(), wanted.timeout, told) as running:
            _note(layout, wanted, running, job, begun)
            return _until_its_end(layout, wanted, running, deadline)
    finally:
        for path in (layout.socket, layout.record):
            files.remove(path)
        sweep(layout)


def _until_its_end(layout: Layout, wanted: Submission, running: Running, deadline: float) -> str:
    try:
        return _watch(wanted, running, deadline)
    finally:
        _end(layout, running)


def _python() -> str:
    """What serves: the generation that is live now, however long the job has waited."""
    return generations.pinned(sys.executable)


def _require_startable(layout: Layout, wanted: Submission) -> None:
    require_short_sockets(layout)
    readiness.require_ready(layout)
    require_modules(wanted.launch, layout.home, *person(layout.uid))
    if observe(layout, layout.name).running:
        raise NotebookError("a server of this profile runs here already", layout.host)


def _note(layout: Layout, wanted: Submission, running: Running, job: str, begun: float) -> None:
    """From here on it is called running: it has proved itself."""
    shown = readiness.certificate_sha256(layout)
    ends = timestamp(begun + wanted.walltime)
    version = server_report.version(wanted.launch, running.python)
    write_record(layout, f"job {job}", running, version, shown, {"job": job, "ends": ends})


def _watch(wanted: Submission, running: Running, deadline: float) -> str:
    while running.alive():
        if time.time() > deadline:
            return f"walltime of {wanted.clock} reached"
        time.sleep(POLL)
    idle = f" or was idle for {wanted.idle} s" if wanted.idle else ""
    return f"the server ended by itself: it was shut down{idle}"


def _end(layout: Layout, running: Running) -> None:
    """Interrupt the kernels, so that cells can clean up; then the server ends them and itself."""
    if running.alive():
        with contextlib.suppress(OSError, NotebookError, ValueError):
            if _interrupted(layout, running):
                time.sleep(INTERRUPTED_WITHIN)
        stop_server(layout, running)


def _interrupted(layout: Layout, running: Running) -> int:
    """How many kernels were busy, and asked to stop what they do."""
    where, shown, token = endpoint(layout, running.launch), trust(layout), readiness.token(layout)

    def asked(method: str, path: str) -> bytes:
        return probe.request(where, shown, method, path, token, ANSWER_WITHIN).body

    if not kernels(layout, running):
        return 0
    found = json.loads(asked("GET", "/api/kernels"))
    busy = [kernel["id"] for kernel in found if kernel["execution_state"] == "busy"]
    for kernel in busy:
        asked("POST", f"/api/kernels/{kernel}/interrupt")
    return len(busy)

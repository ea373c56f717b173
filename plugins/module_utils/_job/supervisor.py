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
import threading
import time
from dataclasses import dataclass, replace
from typing import Iterator, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import timestamp
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, generations
from ansible_collections.hpcc.notebook.plugins.module_utils._job import (
    replacement,
    submission,
    succession,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.entrance import (
    Entrance,
    Relay,
    entrance,
    relaying,
    tried,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.margin import margin
from ansible_collections.hpcc.notebook.plugins.module_utils._job.replacement import Switch
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import (
    End,
    Noted,
    Submission,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import meters, time_left
from ansible_collections.hpcc.notebook.plugins.module_utils._server import (
    limits,
    probe,
    readiness,
    trial,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server import report as server_report
from ansible_collections.hpcc.notebook.plugins.module_utils._server.launch import (
    clean_environment,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    Layout,
    require_short_sockets,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    Running,
    endpoint,
    kernels,
    observe,
    record_paths,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.place import here, startable
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.start import (
    require_modules,
    serving,
    write_record,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.stop import stop_server, sweep
from ansible_collections.hpcc.notebook.plugins.module_utils._server.usage import measured

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


@dataclass(frozen=True)
class Run:
    """One run of a job."""

    layout: Layout
    job: str
    begun: float
    again: threading.Event  # set when another server is wanted in its place


class Ending(BaseException):
    """The scheduler has sent a signal."""


class _StartError(NotebookError):
    """A server did not come up; of one that has served, another error speaks."""


def main() -> None:
    """Serve what the record asks for; leave the reason of the end beside it."""
    profile, mark, job = sys.argv[1:4]
    begun = time.time()
    layout = here(profile)
    try:
        wanted = succession.of_this_job(layout, mark, job)
    except NotebookError as error:
        sys.stdout.write(f"{error}\n")
        return
    if wanted is None:
        sys.stdout.write(f"job {job} is not the one that is recorded for this profile: it ends\n")
        return
    _forget_the_last_run(layout)
    with _signals() as again:
        try:
            reason = _serve_on(Run(layout, job, begun, again), wanted)
        except NotebookError as error:
            reason = f"no server was started: {error}"
        except Ending as ending:
            reason = str(ending)
    sys.stdout.write(f"{reason}\n")
    end = End(mark, reason, timestamp(time.time()))
    files.leave(submission.end_path(layout), submission.serialise(end))


def _forget_the_last_run(layout: Layout) -> None:
    """What ran before is over: the job that this one follows, or this one on another node."""
    files.remove(submission.end_path(layout))
    for path, _record in of_jobs(layout):
        files.remove(path)


def of_jobs(layout: Layout) -> list[tuple[str, Record]]:
    """The records of servers that are jobs: this host may itself be a compute node."""
    found = []
    for path in record_paths(layout):
        content = files.read(path)
        with contextlib.suppress(NotebookError):  # status says what is wrong with it
            found += [(path, server_record.parse(content, path))] if content else []
    return [(path, each) for path, each in found if each.job]


@contextlib.contextmanager
def _signals() -> Iterator[threading.Event]:
    """Have the first signal raised as Ending; what ends in order is not interrupted by another."""
    again = threading.Event()

    def end(number: int, _frame: object) -> None:
        for other in _ENDING:
            signal.signal(other, signal.SIG_IGN)
        name = signal.Signals(number).name
        raise Ending(f"{submission.BY_SIGNAL} ({name})")

    for number in _ENDING:
        signal.signal(number, end)
    signal.signal(submission.AGAIN, lambda _number, _frame: again.set())
    yield again


def _serve_on(run: Run, wanted: Submission) -> str:
    """Why it ended; a server that is asked to makes room for another in the same job."""
    came = _serve(run, wanted, _python())
    while isinstance(came, Switch):
        came = _switched(run, came)
    return came


def _switched(run: Run, switch: Switch) -> str | Switch:
    """Serve what has proved itself; should it fail after that, go on with what there was."""
    before, after = switch.before, switch.after
    try:
        return _serve(run, after, _python())
    except _StartError as error:
        went = str(error)
    back = after.serving(before.launch)
    try:
        again = f"{went} {before.launch} was started again instead."
        return _serve(run, back, switch.python, again)
    except _StartError as too:
        raise NotebookError(f"{went} {before.launch} did not start again either: {too}") from too


def _serve(run: Run, wanted: Submission, python: str, instead: str = "") -> str | Switch:
    """Why it ended; `instead` says why it is not the one that was asked for."""
    layout = startable(run.layout)
    here_now = replace(run, layout=layout)
    try:
        with contextlib.ExitStack() as served:
            try:
                running, relay = _begun(here_now, wanted, python, served)
            except NotebookError as error:
                raise _StartError(error.what, error.where, error.todo) from error
            replacement.note(layout, wanted)
            replacement.answer(layout, wanted, running.pid, instead)
            return _until_its_end(here_now, wanted, running, relay)
    finally:
        for path in (layout.socket, layout.record):
            files.remove(path)
        sweep(layout)


def _begun(
    run: Run, wanted: Submission, python: str, served: contextlib.ExitStack
) -> tuple[Running, Relay]:
    """A server that has proved itself and is recorded, and the way to it."""
    layout = run.layout
    _require_startable(layout, wanted)
    if observe(layout, layout.name).running:
        raise NotebookError("a server of this profile runs here already", layout.host)
    files.make_private_directory(layout.local)
    env = clean_environment(layout.home, *person(layout.uid))
    relay = served.enter_context(relaying(layout, wanted, env))
    seen = served.enter_context(tried(layout, wanted.mark, env))
    given = (python, wanted.timeout, _told(run, wanted))
    running = served.enter_context(serving(layout, wanted.launch, *given))
    _note(run, wanted, running, entrance(layout, seen, relay))
    return running, relay


def _told(run: Run, wanted: Submission) -> dict[str, str]:
    """What the server has in its environment because it is a job."""
    end = time_left.announced(_deadline(run, wanted), wanted.walltime)
    limit = measured(os.getpid(), _memory_said(wanted)).memory_limit
    meter = {meters.MEMORY_LIMIT: str(limit)} if limit else {}
    return {meters.END: end, **meter, **granted(os.environ)}


def _memory_said(wanted: Submission) -> int:
    """What the scheduler has granted, else what it was asked for."""
    return memory_said(os.environ) or wanted.mem * limits.MB


def _deadline(run: Run, wanted: Submission) -> float:
    """When it ends in order, by itself."""
    return run.begun + wanted.walltime - margin(wanted.walltime)


def _until_its_end(run: Run, wanted: Submission, running: Running, relay: Relay) -> str | Switch:
    try:
        return _watch(run, wanted, running, relay)
    finally:
        _end(run.layout, running)


def _python() -> str:
    """What serves: the generation that is live now, however long the job has waited."""
    return generations.pinned(sys.executable)


def _require_startable(layout: Layout, wanted: Submission) -> None:
    require_short_sockets(layout)
    readiness.require_ready(layout)
    require_modules(wanted.launch, layout.home, *person(layout.uid))
    server_report.version(wanted.launch, _python())
    if wanted.environments:
        readiness.require_environment_kernels(layout)


def _note(run: Run, wanted: Submission, running: Running, found: Entrance) -> None:
    """From here on it is called running: it has proved itself."""
    layout = run.layout
    shown = readiness.certificate_sha256(layout)
    ends = timestamp(run.begun + wanted.walltime)
    version = server_report.version(wanted.launch, running.python)
    of_job = {"job": run.job, "ends": ends, **found.noted()}
    write_record(layout, f"job {run.job}", running, version, shown, of_job, found.socket)


def _watch(run: Run, wanted: Submission, running: Running, relay: Relay) -> str | Switch:
    deadline, due = _deadline(run, wanted), 0.0
    while running.alive():
        if time.monotonic() >= due:
            due = time.monotonic() + submission.MEASURE_EVERY
            _measure(run.layout, wanted, running)
        if time.time() > deadline:
            return f"walltime of {wanted.clock} reached"
        if run.again.is_set() and (another := _proved(run, wanted, running)):
            return Switch(wanted, running.python, another)
        relay.keep()
        time.sleep(POLL)
    idle = f" or was idle for {wanted.idle} s" if wanted.idle else ""
    return f"the server ended by itself: it was shut down{idle}"


def _measure(layout: Layout, wanted: Submission, running: Running) -> None:
    """Note what status tells."""
    usage = measured(running.pid, _memory_said(wanted))
    noted = Noted(
        mark=wanted.mark,
        at=timestamp(time.time()),
        kernels=len(kernels(layout, running)),
        memory=usage.memory,
        memory_used=usage.memory_used,
        memory_limit=usage.memory_limit,
        near=list(limits.warnings(usage)),
    )
    files.leave(submission.usage_path(layout), submission.serialise(noted))


def memory_said(environment: Mapping[str, str]) -> int:
    """Bytes that a scheduler has granted, where it tells its job; 0 where it does not."""
    node, per_core, cores = (
        int(text) if (text := environment.get(name, "")).isdecimal() else 0
        for name in ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE")
    )
    return (node or per_core * cores) << 20


def _proved(run: Run, wanted: Submission, running: Running) -> Submission | None:
    """What is asked for instead, once it has served beside the one that runs; None if it cannot."""
    run.again.clear()
    layout = run.layout
    asked = replacement.asked_instead(layout, wanted)
    if asked is None:
        return None
    within = min(float(asked.timeout), _deadline(run, wanted) - time.time())
    try:
        _require_startable(layout, asked)
        trial.require_serving(layout, asked.launch, _python(), within, _told(run, wanted))
    except NotebookError as error:
        why = str(error).replace(f" {trial.LEFT}", "")
        replacement.answer(layout, asked, running.pid, f"{why} {trial.LEFT}")
        return None
    return asked


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

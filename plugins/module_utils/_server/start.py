# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: start a server, and call it started only when it has proven to be private."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Iterator, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import (
    files,
    generations,
    processes,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import (
    kernel,
    probe,
    readiness,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server import session as server_session
from ansible_collections.hpcc.notebook.plugins.module_utils._server.launch import (
    clean_environment,
    launch_line,
    modules_line,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch, Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.observe import (
    Running,
    endpoint,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import Trust
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.stop import end

POLL = 0.05  # seconds between two looks at a server that comes up
ANSWER_WITHIN = 5.0  # seconds for one request: a loaded host is slow, but not dead
MODULES_WITHIN = 60.0
LOG_LINES = 4  # what of the log stands in an error
LOG_KEPT = 1 << 20  # bytes of the log before this start that are kept beside the new one


def start(layout: Layout, session: str, launch: Launch, python: str, timeout: float) -> Running:
    """Start a server; come back when it serves and a kernel has computed, or end it and say why."""
    prepare(layout)
    with kernel.proving(layout, launch, launch_shell(), python, timeout) as proof:
        line = launch_line(launch_shell(), python, layout, launch)
        started = replace(_new_session(layout, session, line, launch), python=python)
        try:
            wait_until_served(layout, started, timeout)
            proof.require()
        except BaseException:
            # Whatever it is that came up there, nobody vouches for it.
            end(started, layout, session)
            raise
    _forget_token_page(layout, started)
    return started


@contextlib.contextmanager
def serving(
    layout: Layout,
    launch: Launch,
    python: str,
    timeout: float,
    granted: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Running]:
    """A server that has proved itself, and that never outlives this process.

    `granted` is what a job has in its environment: from its scheduler, and of its end.
    """
    prepare(layout)
    line = launch_line(launch_shell(), python, layout, launch)
    environment = {**clean_environment(layout.home, *person(layout.uid)), **granted}
    with processes.child(line, environment) as process:
        running = Running(process.pid, process.start_time, launch, python)
        with kernel.proving(layout, launch, launch_shell(), python, timeout) as proof:
            wait_until_served(layout, running, timeout)
            proof.require()
        _forget_token_page(layout, running)
        yield running


def _forget_token_page(layout: Layout, running: Running) -> None:
    """Jupyter writes the token into a page for a local browser, which the umask may open to all."""
    files.remove(f"{layout.runtime}/jpserver-{running.pid}-open.html")


def require_modules(launch: Launch, home: str, user: str, shell: str) -> None:
    """Refuse modules that the site does not have; a module system can be slow."""
    if launch.modules:
        site_environment(launch, home, user, shell)


def site_environment(launch: Launch, home: str, user: str, shell: str) -> dict[str, str]:
    """What the site's profile and the modules set; a login without a terminal may have none of it.

    NotebookError when there are no such modules.
    """
    environment = clean_environment(home, user, shell)
    line = modules_line(launch_shell(), launch.modules)
    tried = processes.run(line, timeout=MODULES_WITHIN, env=environment)
    if tried.code != 0:
        what = f"cannot be loaded: {tried.stderr.strip()}"
        where = f"module load {' '.join(launch.modules)}"
        raise NotebookError(what, where, "Ask `module avail` on the host for what there is.")
    pairs = (line.partition("=") for line in tried.stdout.split("\0"))
    return {name: value for name, equals, value in pairs if equals}


def require_free(layout: Layout, launch: Launch) -> None:
    """Refuse to start where somebody else listens already; only looked at, so checked first."""
    if launch.transport == "tcp":
        _require_free_port(launch.port)
    elif probe.peer_pid(endpoint(layout, launch)):
        what = "another program of yours listens here"
        raise NotebookError(what, layout.socket, "End it and run again.")


def write_record(
    layout: Layout,
    session: str,
    running: Running,
    version: str,
    shown: str,
    of_job: Mapping[str, str] = MappingProxyType({}),
    seen: str = "",
) -> None:
    """Leave a note for whoever looks for servers on all hosts.

    `seen` is the path of its socket as a login sees it, where that is another one.
    """
    record = Record(
        host=layout.host,
        boot_id=processes.boot_id(),
        pid=running.pid,
        start_time=running.start_time,
        since=running.since(),
        session=session,
        frontend=running.launch.frontend,
        version=version,
        transport=running.launch.transport,
        port=running.launch.port,
        socket="" if running.launch.transport == "tcp" else seen or layout.socket,
        certificate_sha256=shown,
        node=processes.full_hostname(),
        prefix=generations.prefix_of(running.python),
        **of_job,
    )
    files.make_private_directory(layout.records)
    files.write_private(layout.record, server_record.serialise(record))


def prepare(layout: Layout) -> None:
    """Make what the server needs: private directories, a new log, no socket of a dead one."""
    for directory in (layout.local, layout.runtime, str(Path(layout.logs).parent), layout.logs):
        files.make_private_directory(directory)
    # Says that there is nothing to migrate: Jupyter would copy a configuration of ten years ago
    # from the person's ~/.ipython into ours.
    _write_missing(f"{layout.directory}/migrated")
    before = files.read(layout.log) if _small(layout.log) else None
    if before:
        files.write_private(f"{layout.log}.1", before)
    files.write_private(layout.log, b"")
    _remove_stale_socket(layout.socket)


def _write_missing(path: str) -> None:
    if files.private_file_reason(path, b""):
        files.write_private(path, b"")


def _small(path: str) -> bool:
    try:
        return os.lstat(path).st_size <= LOG_KEPT
    except OSError:
        return False


def _remove_stale_socket(path: str) -> None:
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise NotebookError("is in the way of the server's socket", path, "Remove it.")
    files.remove(path)


def _new_session(layout: Layout, session: str, line: list[str], launch: Launch) -> Running:
    user, shell = person(layout.uid)
    environment = clean_environment(layout.home, user, shell)
    survives = server_session.what_survives(layout.uid, user)
    begun = server_session.new(layout, session, line, environment, survives)
    return Running(begun.pid, begun.start_time, launch)


def wait_until_served(layout: Layout, started: Running, timeout: float) -> None:
    """Come back when it has proved to be private and has understood every option."""
    deadline = time.monotonic() + timeout
    trust = Trust(readiness.certificate_sha256(layout), layout.certificate)
    token = readiness.token(layout)
    while not _serves(layout, started, trust, token):
        if not started.alive():
            raise NotebookError(f"the server ended: {_last_words(layout, token)}", layout.log)
        if time.monotonic() > deadline:
            what = f"no answer within {timeout:g} seconds: {_last_words(layout, token)}"
            raise NotebookError(what, layout.log, "Give it more time by `timeout`.")
        time.sleep(POLL)
    _require_understood(layout)


def _serves(layout: Layout, started: Running, trust: Trust, token: str) -> bool:
    """Whether it answers yet; a wrong answer is an error."""
    where = endpoint(layout, started.launch)
    try:
        probe.require_private(where, trust, ANSWER_WITHIN)
        reason = probe.token_reason(where, trust, token, ANSWER_WITHIN)
    except OSError:
        return False
    if reason:
        raise NotebookError(reason, str(where), "Run setup.yml again.")
    return started.alive()


def _require_understood(layout: Layout) -> None:
    """An option that Jupyter does not know, it skips: whatever it was to protect, it does not."""
    for line in (files.read(layout.log) or b"").decode("utf-8", "replace").splitlines():
        if "not recognized by" in line:
            todo = "Correct it in the configuration of the profile, or of the site."
            raise NotebookError(line.partition("] ")[2] or line, layout.log, todo)


def _last_words(layout: Layout, token: str) -> str:
    text = (files.read(layout.log) or b"").decode("utf-8", "replace")
    if token:
        text = text.replace(token, "(token)")
    # Of a traceback only the last line; the others are for those who open the log.
    rest = (" ", "Traceback ")
    said = [line for line in text.split("\n") if line.strip() and not line.startswith(rest)]
    return " | ".join(said[-LOG_LINES:]) or "it said nothing"


def _require_free_port(port: int) -> None:
    reason = probe.free_port_reason(port)
    if reason:
        uid = processes.tcp_listener_uid(port)
        who = "" if uid is None else f" by {_name(uid)}"
        where = f"127.0.0.1:{port}"
        raise NotebookError(f"taken{who} ({reason})", where, "Choose another port.")


def _name(uid: int) -> str:
    return f"uid {uid} ({person(uid)[0]})"


def launch_shell() -> str:
    """Bash where there is one: only it hands a site's `module` function on to the kernels."""
    return "/bin/bash" if os.access("/bin/bash", os.X_OK) else "/bin/sh"

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at for a notebook that is a job: scheduler, job, the way to its node. Pure.

Whoever has the server on a node, and never had a job, reads nothing of it.
"""

from __future__ import annotations

from shlex import quote
from typing import Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common import cluster_helper
from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import (
    RESTART,
    STATUS,
    on_node,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    Finding,
    Seen,
    ok,
    warning,
    wrong,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server.discovery import json_object
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record

PLACE = "the compute node"
_WAY = "way to the compute node"
_MODULES = """-e '{"nbserver_modules": ["NAME"]}'"""


def scheduler(seen: Seen) -> Finding | None:
    """Whether a login shell of the node, with the modules of the notebook, has its commands."""
    if not _wanted(seen):
        return None
    schedulers = cluster_helper.part("schedulers")
    programs = {path.rpartition("/")[2]: path for path in seen.all("scheduler_programs")}
    named = next(reversed(seen.all("scheduler_named")), None)
    try:
        found = schedulers.choose(named, programs.get)
    except cluster_helper.part("errors").ClusterError as error:
        what = str(error).partition("; use extra_params")[0].partition(": load the site")[0]
        return wrong("scheduler", what, f"name the module of the scheduler: {_MODULES}")
    if found.named is None:
        what = f"notebooks do not run as jobs of {found.title} yet"
        return wrong("scheduler", what, "leave out nbserver_where=job")
    return ok("scheduler", f"{found.title}: {', '.join(found.programs)} are there")


def job(seen: Seen) -> Finding | None:
    """What the files of the profile tell; the scheduler itself is not asked."""
    submitted, end = (json_object(seen.one(name)) for name in ("job_record", "job_end"))
    if not submitted:
        return ok("job", "none was submitted") if _wanted(seen) else None
    number, server = submitted.get("job"), serving(seen)
    if server:
        return ok("job", f"{number} serves on {server.host} until {server.ends}")
    if end.get("mark") == submitted.get("mark"):
        return ok("job", f"{number} ended: {end.get('reason')}")
    return ok("job", f"{number} does not serve", f"ask its scheduler why: {STATUS}")


def entrance(seen: Seen) -> Finding | None:
    """How ssh gets to the job, which has found that out by trying."""
    server = serving(seen)
    if server is None:
        what = "not known before a job serves, which finds it out"
        return ok(_WAY, what) if _wanted(seen) else None
    if server.obstacle:
        return warning(_WAY, server.obstacle, "ask the site how ssh gets to its compute nodes")
    if server.relay:
        return ok(_WAY, f"none lets you in; the job on {server.host} leads back to {server.relay}")
    if server.socket.startswith("/proc/"):
        what = f"ssh to {server.host}, through the process of the job, whose /tmp is its own"
        return ok(_WAY, what)
    return ok(_WAY, f"ssh to {server.host}")


def login(seen: Seen) -> Finding | None:
    """Whether this computer gets there now."""
    if serving(seen) is None:
        return None
    if seen.one("job_login_fault"):
        return wrong("login", seen.one("job_login_fault"), seen.one("job_login_todo"))
    return ok("login", f"to {seen.one('job_host')}") if seen.one("job_host") else None


def socket(seen: Seen) -> Finding | None:
    """Whether the server can be reached there, by its person alone."""
    server = serving(seen)
    if server is None or not seen.one("job_socket"):
        return None
    path = reached_by(server)
    if seen.one("job_socket") == "there":
        return ok("socket of the server", f"{path} is yours alone")
    if seen.one("job_socket") == "foreign":
        what = f"{path} is not yours alone"
        typed = on_node(f"ls -la {quote(path.rpartition('/')[0])}")
        return wrong("socket of the server", what, typed)
    return wrong("socket of the server", f"there is no {path}", RESTART)


def serving(seen: Seen) -> Record | None:
    """The server of the recorded job, as its own record describes it."""
    number = json_object(seen.one("job_record")).get("job")
    for text in seen.all("job_servers"):
        try:
            found = server_record.parse(text.encode(), "run")
        except NotebookError:
            continue  # whoever wrote it; `status` says what is wrong with it
        if found.job and found.job == number:
            return found
    return None


def reached_by(server: Record) -> str:
    """The path of its socket, where a login sees it."""
    return server.relay_socket or server.socket


def _wanted(seen: Seen) -> bool:
    return seen.one("where") == "job"


def _programs() -> str:
    dialects = cluster_helper.part("schedulers").DIALECTS.values()
    needed = [name for each in dialects for name in (*each.programs, *each.telltale)]
    return " ".join(dict.fromkeys([*needed, "sbatch"]))


_FLAT = "tr -d '\\n' 2>/dev/null"
QUESTIONS: Mapping[str, str] = {
    "scheduler_programs": '[ "${WHERE-}" = job ] && bash -lc \'[ -z "$1" ] || '
    f'module load $1; for name in {_programs()}; do command -v "$name"; done\' '
    'look "${SITE_MODULES-}"',
    "scheduler_named": "sed -n 's/^ *scheduler *= *//p' \"$prefix/etc/cluster_helper.ini\" "
    '"$HOME/.config/cluster_helper.ini"',
    "job_record": f'head -c 65536 "$directory/job/submission.json" | {_FLAT}; echo',
    "job_end": f'head -c 65536 "$directory/job/end.json" | {_FLAT}; echo',
    "job_servers": '[ -f "$directory/job/submission.json" ] && '
    f'for file in "$directory"/run/*.json; do head -c 65536 "$file" | {_FLAT}; echo; done',
}
CHECKS = (scheduler, job, entrance)
CHECKS_THERE = (login, socket)

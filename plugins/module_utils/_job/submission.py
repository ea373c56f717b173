# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a job that serves a notebook, and of how it ended. Pure: text in, values out.

It is written before the job is submitted, so that there is no job without it. Its name is the same
for all jobs of a profile: the scheduler can be asked for them, whatever became of the record. A
job serves only when its own mark stands in the record.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import Wanted
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import JOB_FILES
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    FRONTENDS,
    Launch,
    Layout,
)

SCHEMA = 1
AGAIN = 28  # SIGWINCH: asks a job for another server; whoever does not know it, ignores it
MEASURE_EVERY = 60.0  # seconds between two notes of a job about its server
BY_SIGNAL = "the scheduler ended the job"  # how such a reason begins
_NAME = 6  # hexadecimal digits: Torque and PBS take 15 characters in all
_KINDS = {"str": str, "int": int, "bool": bool, "list[str]": list}


@dataclass(frozen=True)
class Submission:
    """One job: as it was asked for, and its id once it has one."""

    name: str
    mark: str  # of this submission and no other
    scheduler: str
    job: str  # empty until the scheduler has answered
    submitted: str
    walltime: int
    clock: str  # the same, as the scheduler was told
    asked: str  # in words
    frontend: str
    modules: list[str]
    threads: int
    idle: int
    environments: bool
    timeout: int
    origin: str  # the host that it was submitted from
    relay: str  # the path of a socket there, should it be needed
    mem: int  # that was asked for, in MB; 0 where nothing was
    turn: int  # how many times another server was asked for in it
    resources: str  # as they were written
    queue: str

    def again(self, launch: Launch, timeout: int) -> Submission:
        """Another server is asked for in the same job."""
        return replace(self.serving(launch), timeout=timeout, turn=self.turn + 1)

    def serving(self, launch: Launch) -> Submission:
        """The same job, whose server serves so."""
        return replace(
            self,
            frontend=launch.frontend,
            modules=list(launch.modules),
            idle=launch.idle,
            environments=launch.environments,
        )

    @property
    def wanted(self) -> Wanted:
        """What it was asked to have; what was not said then, the site says."""
        return Wanted(self.resources, self.queue, self.threads)

    @property
    def launch(self) -> Launch:
        """How its server serves."""
        return Launch(
            frontend=self.frontend,
            transport="socket",
            port=0,
            modules=tuple(self.modules),
            threads=self.threads,
            idle=self.idle,
            environments=self.environments,
        )


@dataclass(frozen=True)
class End:
    """What the job itself has left of its end."""

    mark: str
    reason: str
    at: str

    @property
    def signalled(self) -> bool:
        """Whether the job has only seen that it was to end."""
        return self.reason.startswith(BY_SIGNAL)


@dataclass(frozen=True)
class Answer:
    """What became of a server that was asked for in a job that serves already."""

    mark: str
    turn: int
    pid: int  # of the server that serves now
    reason: str  # why it is not the one that was asked for; empty when it is


@dataclass(frozen=True)
class Noted:
    """What the job has last measured of its server."""

    mark: str
    at: str
    kernels: int
    memory: int
    memory_used: int
    memory_limit: int
    near: list[str]


def job_name(layout: Layout) -> str:
    """Of every job of this profile, and of no other of the person's."""
    digest = hashlib.sha256(f"{layout.uid}\n{layout.directory}".encode()).hexdigest()
    return f"nbserver-{digest[:_NAME]}"


def end_path(layout: Layout) -> str:
    return layout.job_end


def asked_path(layout: Layout) -> str:
    """How another server in the job is to serve: the record of the job itself says how one does."""
    return layout.at(JOB_FILES["asked.json"])


def answer_path(layout: Layout) -> str:
    return layout.at(JOB_FILES["answer.json"])


def usage_path(layout: Layout) -> str:
    return layout.at(JOB_FILES["usage.json"])


def lock_path(layout: Layout) -> str:
    return layout.at(JOB_FILES["lock"])


def script_path(layout: Layout) -> str:
    return layout.at(JOB_FILES["job.sh"])


def successor_path(layout: Layout) -> str:
    """The record of a job that waits for the end of the one that there is."""
    return layout.at(JOB_FILES["next.json"])


def successor_script_path(layout: Layout) -> str:
    return layout.at(JOB_FILES["next.sh"])


def program_path(layout: Layout) -> str:
    return layout.at(JOB_FILES["supervisor.py"])


def log_path(layout: Layout) -> str:
    """One log: of the last job."""
    return layout.at(JOB_FILES["job.log"])


def serialise(value: Submission | End | Answer | Noted) -> bytes:
    """As it lies on disk."""
    return (json.dumps({"schema": SCHEMA, **asdict(value)}, indent=2) + "\n").encode()


def parse(content: bytes, path: str) -> Submission:
    """Read a record; whatever a start did not write is refused, not interpreted."""
    found = Submission(**_fields(content, path, Submission))
    if found.frontend not in FRONTENDS or not all(isinstance(m, str) for m in found.modules):
        raise _foreign(path)
    return found


def parse_end(content: bytes, path: str) -> End:
    """The same for the end of a job."""
    return End(**_fields(content, path, End))


def parse_answer(content: bytes, path: str) -> Answer:
    """The same for what a job has answered."""
    return Answer(**_fields(content, path, Answer))


def parse_noted(content: bytes, path: str) -> Noted:
    """The same for what it has measured."""
    return Noted(**_fields(content, path, Noted))


def _fields(content: bytes, path: str, kind: type) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _foreign(path) from error
    if not isinstance(found, dict) or repr(found.pop("schema", None)) != repr(SCHEMA):
        raise _foreign(path)
    if {name: type(value) for name, value in found.items()} != {
        field.name: _KINDS[str(field.type)] for field in fields(kind)
    }:
        raise _foreign(path)
    return found


def _foreign(path: str) -> NotebookError:
    what = "it was changed by hand or by another version"
    return NotebookError(what, path, "Remove this file and run again; a job that lives is found.")

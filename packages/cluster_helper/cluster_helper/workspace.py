"""The private directory of one cluster, on the home directory that every node sees."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from IPython.paths import get_ipython_dir

_FOLDERS = ("security", "log", "pid", "startup")
# With encryption on, ipyparallel stops signing messages, and then warns that nothing is signed.
_SIGNED = 'c = get_config()\nc.Session.key = b"{}"\n'

IDENTITY = "owner.json"


@dataclass(frozen=True)
class Owner:
    """The identity of a cluster's directory: what has to be ended when nobody looks after it."""

    cluster: str
    """The name of the directory: a copy of it is not ours any more."""
    host: str = ""
    """Of the supervisor; empty before there is one."""
    scheduler: str = "local"
    job: str | None = None


@dataclass(frozen=True)
class Workspace:
    """A profile directory of IPython with the files of a cluster; thrown away by cluster_view."""

    directory: Path
    name: str = "ipcontroller"
    """How ipyparallel calls the files of this cluster."""

    @property
    def engine_file(self) -> Path:
        return self.directory / "security" / f"{self.name}-engine.json"

    @property
    def client_file(self) -> Path:
        return self.directory / "security" / f"{self.name}-client.json"

    @property
    def script(self) -> Path:
        return self.directory / "security" / f"{self.name}-job.sh"

    @property
    def controller_log(self) -> Path:
        return self.directory / "log" / "controller.log"

    @property
    def engine_log(self) -> str:
        return f"{self.directory}/log/engine-"


def above() -> Path:
    """The directory of them all."""
    return Path(get_ipython_dir()) / "cluster_helper"


def create() -> Workspace:
    """A new one, private from the first moment. The connection files exist, but are empty yet.

    A file that is there is read again when it is opened; one that was looked for and was not there
    can stay away for a minute on a network's file system.
    """
    above().mkdir(mode=0o700, parents=True, exist_ok=True)
    above().chmod(0o700)
    directory = above() / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    directory.mkdir(mode=0o700)
    write(directory / IDENTITY, json.dumps(asdict(Owner(directory.name))))
    for name in _FOLDERS:
        (directory / name).mkdir(mode=0o700)
    workspace = Workspace(directory)
    for path in (workspace.engine_file, workspace.client_file):
        write(path, "")
    write(directory / "ipcontroller_config.py", _SIGNED.format(secrets.token_hex(32)))
    return workspace


def write(path: Path, text: str) -> None:
    """A new file that only its owner can read, from the first moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def log(path: str) -> BinaryIO:
    """A file for the output of a process."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def remove(directory: Path) -> None:
    """Gone; what another host still writes there does not matter."""
    shutil.rmtree(directory, ignore_errors=True)

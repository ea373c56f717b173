# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server is and where everything of it lies. Pure: values in, values out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile

SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path, without the NUL at its end


@dataclass(frozen=True)
class Frontend:
    """A program that serves notebooks: `python -m <module>`, installed as `distribution`."""

    module: str
    distribution: str
    title: str
    least: str
    """The oldest version that setup is content with."""

    @property
    def requirement(self) -> str:
        """What pip or conda is asked for."""
        return f"{self.distribution}>={self.least}"


FRONTENDS = {
    "lab": Frontend("jupyterlab", "jupyterlab", "JupyterLab", "4.6"),
    "notebook": Frontend("notebook", "notebook", "Jupyter Notebook", "7.6"),
    "nbclassic": Frontend("nbclassic", "nbclassic", "NbClassic", "1.3"),
}


@dataclass(frozen=True)
class Launch:
    """How a server is asked to serve."""

    frontend: str
    transport: str
    port: int  # means something over TCP only
    modules: tuple[str, ...] = ()  # of the site, loaded before
    threads: int = 0  # that the libraries of one kernel use; 0 leaves it to them
    idle: int = 0  # seconds without use after which it ends; 0 is never
    cpu_limit: int = 0  # seconds of CPU time after which the site ends a process; 0 is none
    environments: bool = False  # whether kernels of the person's own environments are shown

    def __str__(self) -> str:
        way = f"on port {self.port}" if self.transport == "tcp" else "over a socket"
        more = [
            f"with {' '.join(self.modules)}" if self.modules else "",
            f"{self.threads} threads a kernel" if self.threads else "",
            f"ending after {self.idle} idle seconds" if self.idle else "",
            f"counting up to {self.cpu_limit} seconds of CPU time" if self.cpu_limit else "",
            "with kernels of your environments" if self.environments else "",
        ]
        return ", ".join([f"{FRONTENDS[self.frontend].title} {way}", *filter(None, more)])

    def serves_like(self, other: Launch) -> bool:
        """Whether there is no difference; the port has no meaning beside a socket."""
        return self.transport == other.transport and str(self) == str(other)


@dataclass(frozen=True)
class Layout(profile.Layout):
    """Where everything of one profile lies, seen from one host."""

    host: str
    uid: int
    stem: str = ""  # what its record is called, where another host of the same name has that
    place: str = ""  # the node-local directory, where it is not the usual one

    @property
    def records(self) -> str:
        return self.at("run")

    @property
    def record(self) -> str:
        return f"{self.records}/{self.stem or self.host}.json"

    @property
    def job(self) -> str:
        """Where the record of a server that is a job lies, and what that job needs."""
        return self.at(profile.JOB)

    @property
    def submission(self) -> str:
        return self.at(profile.JOB_FILES["submission.json"])

    @property
    def job_end(self) -> str:
        return self.at(profile.JOB_FILES["end.json"])

    @property
    def logs(self) -> str:
        return self.at(f"log/{self.stem or self.host}")

    @property
    def log(self) -> str:
        return f"{self.logs}/server.log"

    @property
    def local(self) -> str:
        """Off the shared home: sockets mean nothing on another host, and their paths are short."""
        usual = f"/tmp/{self.name}-{self.uid}"  # noqa: S108 - owner and mode are verified
        return self.place or usual

    def secret_place(self, secret: str, number: int) -> str:
        """Another directory, which nobody can take first who does not know the secret."""
        words = f"{secret}\n{self.name}\n{self.uid}\n{self.host}\n{number}"
        digest = hashlib.sha256(words.encode()).hexdigest()
        return f"/tmp/nb-{digest[:16]}"  # noqa: S108 - owner and mode are verified

    @property
    def socket(self) -> str:
        return f"{self.local}/notebook.sock"

    @property
    def tmux_socket(self) -> str:
        return f"{self.local}/tmux.sock"

    @property
    def runtime(self) -> str:
        return f"{self.local}/runtime"

    def fits(self) -> bool:
        """Whether the sockets beside a kernel's connection file have short enough paths."""
        kernel = f"{self.runtime}/kernel-{'0' * 36}-ipc-10"
        return len(kernel.encode()) <= SOCKET_PATH_LIMIT

    @property
    def lock(self) -> str:
        return f"{self.local}/lock"

    def beside(self) -> Trial:
        """Where a trial of the same profile lies."""
        return Trial(**vars(self))


@dataclass(frozen=True)
class Trial(Layout):
    """The same profile, served beside a server that goes on meanwhile. No path is longer."""

    @property
    def log(self) -> str:
        return f"{self.logs}/trial.log"

    @property
    def socket(self) -> str:
        return f"{self.local}/trial.sock"

    @property
    def runtime(self) -> str:
        return f"{self.local}/trial"


def require_short_sockets(layout: Layout) -> None:
    """Jupyter says "listening" and does not, when the path of its socket is too long."""
    for path in (layout.socket, layout.tmux_socket):
        length = len(path.encode())
        if length > SOCKET_PATH_LIMIT:
            what = f"the path has {length} bytes, a socket's may have {SOCKET_PATH_LIMIT}"
            raise NotebookError(what, path, "Choose a shorter name for the profile.")

"""What will be started on this machine for a request: job, controller, engines."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from IPython.core.profiledir import ProfileDir, ProfileDirError
from IPython.paths import get_ipython_dir

from cluster_helper import address, schedulers, script, units, workspace
from cluster_helper.commands import find_program
from cluster_helper.errors import ClusterError
from cluster_helper.job import Job
from cluster_helper.local import LOCAL
from cluster_helper.python import import_path, isolated, pinned
from cluster_helper.request import Request
from cluster_helper.schedulers.dialect import Dialect, beaten_variables
from cluster_helper.site import Site
from cluster_helper.workspace import Workspace

# Nobody reads a line for each task in a file that is thrown away.
_QUIET = "--log-level=ERROR"


class Plan:
    """Everything is looked up and refused when it is made; nothing is started."""

    def __init__(self, wanted: Request, site: Site) -> None:
        self.wanted = wanted
        self.site = site
        self.profile = _profile(wanted.profile)
        self.dialect: Dialect | None = None
        if not wanted.run_local:
            self.dialect = schedulers.choose(wanted.scheduler, find_program)
            script.refuse_what_cannot_be_said(self.dialect, self.job(Workspace(Path("/"))))
            address.of_cluster(site.address)

    def job(self, files: Workspace) -> Job:
        return Job(
            name=self.wanted.name,
            count=self.wanted.count,
            command=self.engine(files),
            directory=str(Path.cwd()),
            path=str(Path(pinned(sys.executable)).parent),
            log=files.engine_log,
            resources=self.wanted.resources,
            cores=self.wanted.cores,
            queue=self.wanted.queue,
            parallel_environment=self.site.parallel_environment,
        )

    def engine(self, files: Workspace) -> list[str]:
        places = import_path(sys.path, Path.cwd())
        return isolated(
            "cluster_helper.engine",
            "--connection", str(files.engine_file),
            "--profile-dir", str(self.profile or files.directory),
            *(word for place in places for word in ("--import-from", place)),
        )  # fmt: skip

    def controller(self, files: Workspace) -> list[str]:
        return isolated(
            "cluster_helper.controller", f"--profile-dir={files.directory}",
            *controller_options(self.site, self.wanted.run_local), _QUIET,
            # No copy of every task and result is kept in the memory of this node.
            "--nodb",
        )  # fmt: skip

    def script(self, files: Workspace) -> str:
        if self.dialect is None:
            raise ClusterError("there is no job script", "run_local starts engines without one")
        return script.render(self.dialect, self.job(files))

    def beaten(self, files: Workspace) -> list[str]:
        """Variables of the person that would win over what is asked for here."""
        return beaten_variables(self.dialect, self.job(files)) if self.dialect else []

    def order(self, files: Workspace) -> dict[str, Any]:
        """What the supervisor has to know; the script is written for it."""
        if self.dialect is not None:
            workspace.write(files.script, self.script(files))
        return {
            "scheduler": self.dialect.name if self.dialect else LOCAL,
            "script": str(files.script),
            "beaten": self.beaten(files),
            "directory": str(files.directory),
            "controller": self.controller(files),
            "controller_log": str(files.controller_log),
            "engine": self.engine(files),
            "count": self.wanted.count,
            "walltime": self.wanted.resources.walltime if self.dialect else None,
            "log": files.engine_log,
        }

    def summary(self) -> str:
        """One line before anything starts: what, where, for how long."""
        engines = f"{self.wanted.count} engine{'s' if self.wanted.count > 1 else ''}"
        if self.dialect is None:
            return f"Starting {engines} on {os.uname().nodename}."
        walltime = units.clock(self.wanted.resources.walltime or 0)
        default = "" if self.wanted.own_walltime else ", the default"
        queue = f", queue {self.wanted.queue}" if self.wanted.queue else ""
        return (
            f"Starting {engines} through {self.dialect.name}{queue}, walltime {walltime}{default}."
        )


def controller_options(site: Site, run_local: bool = False) -> list[str]:
    """Engines reach it encrypted at one address of this node; clients on this node only."""
    engines = address.LOOPBACK if run_local else address.of_cluster(site.address)
    return [
        f"--IPController.engine_ip={engines}",
        f"--IPController.location={engines}",
        "--IPController.enable_curve=True",
        "--HeartMonitor.period=1000",
    ]


def _profile(name: str | None) -> str | None:
    """The directory of the profile whose startup files the engines run."""
    if name is None:
        return None
    try:
        if name.startswith("/"):
            return str(ProfileDir.find_profile_dir(name).location)  # type: ignore[no-untyped-call]
        found = ProfileDir.find_profile_dir_by_name(get_ipython_dir(), name)  # type: ignore[no-untyped-call]
        return str(found.location)
    except ProfileDirError as error:
        option = "--profile-dir=" if name.startswith("/") else ""
        todo = f"make it with: ipython profile create {option}{name}"
        raise ClusterError(f"profile {name!r} does not exist", todo) from error

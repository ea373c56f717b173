"""Launchers for ipyparallel's own `Cluster` and for JupyterLab's panel "IPython Clusters".

A profile's ipcluster_config.py names them. Engines are then started through the site's scheduler,
as `cluster_view` does it; unlike there, they run until they are stopped.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from ipyparallel.cluster.launcher import EngineLauncher, LocalControllerLauncher, NotRunning
from traitlets import Unicode, default

from cluster_helper import request, workspace
from cluster_helper.commands import Commands
from cluster_helper.errors import ClusterError, JobGone
from cluster_helper.plan import Plan, controller_options
from cluster_helper.python import isolated
from cluster_helper.schedulers import named
from cluster_helper.schedulers.dialect import ENDED
from cluster_helper.site import load
from cluster_helper.workspace import Workspace

_CONTROLLER = 60  # seconds that the controller gets to say where it is


class SchedulerControllerLauncher(LocalControllerLauncher):  # type: ignore[misc]
    """A controller that engines on other nodes reach, encrypted."""

    entrypoint_name = f"{__name__}.SchedulerControllerLauncher"
    """How another process, such as `ipcluster stop`, finds this class."""

    @default("controller_cmd")
    def _our_controller(self) -> list[str]:
        return isolated("cluster_helper.controller")

    def find_args(self) -> list[str]:
        found: list[str] = super().find_args()
        return [*found, *controller_options(load())]


class SchedulerEngineSetLauncher(EngineLauncher):  # type: ignore[misc]
    """Engines in one array job of the site's scheduler."""

    entrypoint_name = f"{__name__}.SchedulerEngineSetLauncher"
    scheduler = Unicode().tag(to_dict=True)
    job_id = Unicode().tag(to_dict=True)

    def find_args(self) -> list[str]:
        return ["cluster_helper.engine"]

    async def start(self, n: int = 1) -> str:
        site = load()
        wanted = request.read(site, None, None, n, 1, None, 16, None, None, False, False)
        plan = Plan(wanted, site)
        if plan.dialect is None:
            raise ClusterError("the panel starts engines through a scheduler", "and none is here")
        name = f"ipcontroller-{self.cluster_id}" if self.cluster_id else "ipcontroller"
        files = Workspace(Path(self.profile_dir), name)
        await self._connection(files.engine_file)
        files.script.unlink(missing_ok=True)
        workspace.write(files.script, plan.script(files))
        self.n, self.scheduler = n, plan.dialect.name
        self.job_id = await asyncio.to_thread(
            self._commands().submit, files.script, plan.beaten(files)
        )
        self.notify_start({"job": self.job_id})
        return self.job_id

    async def _connection(self, path: Path) -> None:
        for _tick in range(10 * _CONTROLLER):
            if path.exists():
                return
            await asyncio.sleep(0.1)
        raise ClusterError("the controller did not start", f"{path} is missing")

    def _commands(self) -> Commands:
        return Commands(named(self.scheduler))

    async def poll(self) -> int | None:
        """None while any engine can come or is there, for all that is known."""
        try:
            tasks = await asyncio.to_thread(self._commands().tasks, self.job_id)
        except JobGone:
            return 0
        except ClusterError:
            return None
        return 0 if all(task.state == ENDED for task in tasks) else None

    async def stop(self) -> None:
        await asyncio.to_thread(self._commands().cancel, self.job_id)
        self.notify_stop({"job": self.job_id, "exit_code": 0})

    async def join(self, timeout: float | None = None) -> None:
        async with asyncio.timeout(timeout):
            while await self.poll() is None:
                await asyncio.sleep(1)

    @classmethod
    def from_dict(cls, state: dict[str, Any], **options: Any) -> SchedulerEngineSetLauncher:
        launcher: SchedulerEngineSetLauncher = super().from_dict(state, **options)
        try:
            tasks = launcher._commands().tasks(launcher.job_id)
        except JobGone:
            tasks = []
        if all(task.state == ENDED for task in tasks):
            raise NotRunning(f"job {launcher.job_id} has ended")
        return launcher

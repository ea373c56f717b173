"""Engines on this machine instead of a scheduler's job."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

from cluster_helper import process, workspace
from cluster_helper.schedulers.dialect import ENDED, RUNNING, Task

LOCAL = "local"
"""The scheduler of engines that need none."""


class LocalJob:
    """A process for each engine, each a group of its own."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.command: list[str] = order["engine"]
        self.count: int = order["count"]
        self.log: str = order["log"]
        self.engines: list[subprocess.Popen[bytes]] = []

    def submit(self) -> str:
        self.engines = [self._start(task) for task in range(1, self.count + 1)]
        return f"local {os.getpid()}"

    def _start(self, task: int) -> subprocess.Popen[bytes]:
        with workspace.log(f"{self.log}{task}.log") as log:
            return subprocess.Popen(
                [*self.command, "--task", str(task)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
                preexec_fn=lambda: process.die_with_parent(signal.SIGTERM),
            )  # fmt: skip

    def tasks(self) -> list[Task]:
        return [self._task(number, engine) for number, engine in enumerate(self.engines, 1)]

    def _task(self, number: int, engine: subprocess.Popen[bytes]) -> Task:
        status = engine.poll()
        if status is None:
            return Task(number, RUNNING)
        return Task(number, ENDED, f"signal {-status}" if status < 0 else f"exit status {status}")

    def explain(self) -> tuple[str, bool]:
        return "", False

    def abandon(self) -> None:
        """Nobody is asked."""

    def cancel(self) -> None:
        for engine in self.engines:
            engine.terminate()
        for engine in self.engines:
            try:
                engine.wait(3)
            except subprocess.TimeoutExpired:
                engine.kill()
            process.kill_group(engine.pid)
            engine.wait()

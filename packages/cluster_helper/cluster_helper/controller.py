"""ipyparallel's controller with three habits changed: a process of its own.

* A task that is tried again goes to another engine, and where every engine has tried already it
  waits for a new one to come: for ever, as a rule. Here the engines that are there try again.
* A new engine takes part after its second heartbeat, which is seconds. Here its first one counts,
  and comes at once.
* It puts the working directory first on `sys.path`. Here it imports from the installation only.
"""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

from ipyparallel.controller import app, heartmonitor
from ipyparallel.controller.task_scheduler import TaskScheduler
from tornado.ioloop import PeriodicCallback

_LOOK = 100  # milliseconds between two looks for new engines
_LOOK_PER_ENGINE = 5  # more of them for each that is there, since each of them answers
_LOOKS_LAST = 15.0  # seconds after the newest engine; later ones wait for a heartbeat


class PatientScheduler(TaskScheduler):  # type: ignore[misc]
    """The scheduler of tasks."""

    def maybe_run(self, job: Any) -> bool:
        tried_again = self.retries.get(job.msg_id, 0) < job.metadata.get("retries", 0)
        if tried_again and job.blacklist.issuperset(self.targets):
            job.blacklist.clear()
        return bool(super().maybe_run(job))


class AttentiveHeartMonitor(heartmonitor.HeartMonitor):  # type: ignore[misc]
    """The monitor of heartbeats, which looks for new engines between two beats."""

    def start(self) -> None:
        super().start()
        self.newest = time.monotonic()
        self.looks = PeriodicCallback(self.look, _LOOK)
        self.looks.start()

    def look(self) -> None:
        """Repeat the last ping: whoever is new hears it for the first time."""
        if self.hearts and time.monotonic() > self.newest + _LOOKS_LAST:
            self.looks.stop()
        self.looks.callback_time = max(_LOOK, _LOOK_PER_ENGINE * len(self.hearts))
        self.ping_stream.send(str(self.lifetime).encode("ascii"))
        self.ping_stream.flush()

    def handle_pong(self, msg: list[bytes]) -> None:
        super().handle_pong(msg)
        if msg[0] in self.responses and msg[0] not in self.hearts:
            self.newest = time.monotonic()
            self.handle_new_hearts({msg[0]})


class IsolatedController(app.IPController):  # type: ignore[misc]
    """The controller, which needs nothing from the directory where it was started."""

    def to_work_dir(self) -> None:
        return


def main() -> None:
    multiprocessing.set_start_method("fork")  # Its parts shall know our habits, and start quickly.
    app.TaskScheduler = PatientScheduler
    heartmonitor.HeartMonitor = AttentiveHeartMonitor
    IsolatedController.launch_instance()


if __name__ == "__main__":
    main()

"""The process that owns the controller and the job.

It is started by the notebook, whose death it notices however sudden it is: its standard input ends.
Then, and when the controller dies, it cancels the job, ends the controller and removes the files.
It speaks one line of JSON for each event, and obeys one word: `look` at the scheduler now.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cluster_helper import process, workspace
from cluster_helper.commands import Commands
from cluster_helper.errors import ClusterError, JobGone
from cluster_helper.leftovers import Lock
from cluster_helper.local import LOCAL, LocalJob
from cluster_helper.schedulers import named
from cluster_helper.schedulers.dialect import (
    ENDED,
    FAILED,
    RUNNING,
    WAITING,
    Task,
    all_ended,
    with_vanished,
    with_walltime,
)

_TICK = 0.2
_FIRST_LOOK, _LAST_LOOK = 1.0, 15.0  # seconds between questions to the scheduler, growing
_SETTLED = 10.0  # seconds after which a job that was never seen is not new, but has ended
_CANCEL_TRIES = 4
_CANCEL_TIME = 40  # seconds after which no further try begins


def say(event: str, **details: object) -> None:
    """One line for the notebook; a notebook that is gone does not matter."""
    try:
        sys.stdout.write(json.dumps({"event": event, **details}) + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        return


class Supervisor:
    """From the order to the end."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.job = LocalJob(order) if order["scheduler"] == LOCAL else SchedulerJob(order)
        self.lock = Lock(Path(order["directory"]))
        self.parent = os.getppid()
        self.pause, self.next_look = _FIRST_LOOK, 0.0
        self.seen: tuple[list[Task], str] = [], ""
        self.began: dict[int, float] = {}
        """When each task began at the earliest."""
        self.submitted = 0.0
        self.controller: subprocess.Popen[bytes] | None = None
        self.asker = ThreadPoolExecutor(1)
        self.question: Future[tuple[list[Task], str]] | None = None
        """What the scheduler is being asked; meanwhile the end of the notebook is heard."""

    def run(self) -> None:
        """Everything, and everything undone."""
        try:
            self.controller = self._start_controller()
            job = self.job.submit()
            self.submitted = time.monotonic()
            self.lock.record(self.order["scheduler"], job)
            say("submitted", job=job)
            say("ended", reason=self._watch())
        except (ClusterError, OSError) as error:
            say("refused", reason=str(error))
        finally:
            self.job.abandon()
            self._end_controller()
            self._cancel()
            workspace.remove(Path(self.order["directory"]))

    def _start_controller(self) -> subprocess.Popen[bytes]:
        with workspace.log(self.order["controller_log"]) as log:
            return subprocess.Popen(
                self.order["controller"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, umask=0o077,
                preexec_fn=lambda: process.die_with_parent(signal.SIGTERM),
            )  # fmt: skip

    def _watch(self) -> str:
        """The reason why it is over."""
        os.set_blocking(sys.stdin.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(sys.stdin, selectors.EVENT_READ)
            while True:
                if selector.select(_TICK) and not self._obey():
                    return "stopped"
                if os.getppid() != self.parent:
                    return "stopped"
                if self.controller is not None and self.controller.poll() is not None:
                    return "the controller has died"
                self._look()

    def _obey(self) -> bool:
        """Whether to go on: the end of the input is the end of the notebook."""
        words = os.read(sys.stdin.fileno(), 4096)
        if words and self.question is None:
            self.pause, self.next_look = _FIRST_LOOK, 0.0
        return bool(words)

    def _look(self) -> None:
        """Ask for the tasks when it is time, and tell what has changed when there is an answer."""
        if self.question is None and time.monotonic() >= self.next_look:
            self.question = self.asker.submit(self._seen)
        if self.question is None or not self.question.done():
            return
        try:
            self._tell(*self.question.result())
        except ClusterError as error:
            say("silent", reason=str(error))
        self.question = None
        self.pause = min(1.4 * self.pause, _LAST_LOOK)
        self.next_look = time.monotonic() + self.pause

    def _tell(self, tasks: list[Task], why: str) -> None:
        before, said = self.seen
        self.seen = tasks, why
        if tasks != before:
            self.pause = _FIRST_LOOK
        if (tasks, why) != (before, said):
            say("tasks", tasks=[asdict(task) for task in tasks], why=why)

    def _seen(self) -> tuple[list[Task], str]:
        """The tasks; and while all wait, the answer to a further question: why."""
        tasks = self._timed(self._tasks())
        if not tasks or any(task.state not in (WAITING, FAILED) for task in tasks):
            return tasks, ""
        why, in_vain = self.job.explain()
        return [replace(task, state=FAILED) for task in tasks] if in_vain else tasks, why

    def _tasks(self) -> list[Task]:
        try:
            return with_vanished(self.seen[0], self.job.tasks())
        except JobGone:
            if not self.seen[0] and time.monotonic() < self.submitted + _SETTLED:
                raise
            return all_ended(self.seen[0], self.order["count"])

    def _timed(self, tasks: list[Task]) -> list[Task]:
        """Those that have just ended, and may have run for their whole walltime, say so."""
        now = time.monotonic()
        for task in tasks:
            if task.state == RUNNING:
                self.began.setdefault(task.number, now - self.pause)
        ran = {t.number: now - self.began.pop(t.number, now) for t in tasks if t.state == ENDED}
        return with_walltime(tasks, ran, self.order["walltime"])

    def _end_controller(self) -> None:
        if self.controller is None:
            return
        self.controller.terminate()
        try:
            self.controller.wait(3)
        except subprocess.TimeoutExpired:
            self.controller.kill()
        process.kill_group(self.controller.pid)
        self.controller.wait()

    def _cancel(self) -> None:
        """Again and again, for a scheduler that is just restarting; then it is said."""
        tasks, _why = self.seen
        if tasks and all(task.state == ENDED for task in tasks):
            return
        deadline = time.monotonic() + _CANCEL_TIME
        for attempt in range(1, _CANCEL_TRIES + 1):
            try:
                self.job.cancel()
            except ClusterError as error:
                reason = str(error)
            else:
                return
            if attempt == _CANCEL_TRIES or time.monotonic() > deadline:
                break
            time.sleep(attempt)
        say("left", reason=reason)


class SchedulerJob:
    """The job in the scheduler's hands."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.commands = Commands(named(order["scheduler"]))
        self.script, self.beaten = Path(order["script"]), order["beaten"]
        self.id: str | None = None

    def submit(self) -> str:
        self.id = self.commands.submit(self.script, self.beaten)
        return self.id

    def tasks(self) -> list[Task]:
        return [] if self.id is None else self.commands.tasks(self.id)

    def explain(self) -> tuple[str, bool]:
        return ("", False) if self.id is None else self.commands.explain(self.id)

    def abandon(self) -> None:
        self.commands.abandon()

    def cancel(self) -> None:
        if self.id is not None:
            self.commands.cancel(self.id)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Supervisor(json.loads(sys.stdin.readline())).run()


if __name__ == "__main__":
    main()

"""The notebook's side of the supervisor: starts it, hears what it says, lets it go."""

from __future__ import annotations

import json
import subprocess
import threading
from dataclasses import dataclass, field
from typing import Any

from cluster_helper.python import isolated
from cluster_helper.schedulers.dialect import ENDED, FAILED, RUNNING, WAITING, Task

_LEAVE = 100  # seconds that the supervisor gets to end everything


@dataclass(frozen=True)
class Seen:
    """What is known of the job. A plain value."""

    job: str | None = None
    tasks: tuple[Task, ...] = ()
    why: str = ""
    refused: str = ""
    """Why there is no job."""
    ended: str = ""
    """Why it is over."""
    silent: str = ""
    """Why the scheduler does not answer."""
    left: str = ""
    """What could not be cancelled."""

    def after(self, event: dict[str, Any]) -> Seen:
        """With one more event."""
        known = {name: getattr(self, name) for name in self.__dataclass_fields__}
        kind = event["event"]
        if kind == "tasks":
            tasks = tuple(Task(**task) for task in event["tasks"])
            return Seen(**{**known, "tasks": tasks, "why": event["why"], "silent": ""})
        if kind == "submitted":
            return Seen(**{**known, "job": event["job"]})
        return Seen(**{**known, kind: event["reason"]})

    def in_state(self, state: str) -> list[Task]:
        return [task for task in self.tasks if task.state == state]

    def hopeless(self) -> str:
        """Why no engine can ever come (again), in the scheduler's words; nothing while one can."""
        if self.refused or self.ended:
            return self.refused or self.ended
        if not self.tasks or self.in_state(WAITING) or self.in_state(RUNNING):
            return ""
        reasons = [task.reason for task in self.tasks if task.state in (FAILED, ENDED)]
        return self.why or next(filter(None, reasons), "every engine's job has ended")

    def note(self) -> str:
        """What a person should know while engines are missing."""
        return self.silent or self.waits_for()

    def waits_for(self) -> str:
        """Why the job waits, in the scheduler's words."""
        reasons = [task.reason for task in self.in_state(WAITING)]
        return self.why or next(filter(None, reasons), "")


@dataclass
class SupervisorClient:
    """A running supervisor."""

    order: dict[str, Any]
    seen: Seen = field(default_factory=Seen)
    gone: bool = False
    """Whether the supervisor has ended."""

    def start(self) -> None:
        """In a session of its own: Ctrl-C in a terminal is not for it."""
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            isolated("cluster_helper.supervisor"), start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._tell(json.dumps(self.order))
        threading.Thread(target=self._listen, name="supervisor's words", daemon=True).start()

    def _tell(self, line: str) -> None:
        try:
            if self.process.stdin is not None:
                self.process.stdin.write(f"{line}\n")
                self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def look(self) -> None:
        """Something has happened: the scheduler shall be asked now."""
        self._tell("look")

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            with self.news:
                self.seen = self.seen.after(json.loads(line))
                self.news.notify_all()
        with self.news:
            self.gone = True
            self.news.notify_all()

    def wait(self, seconds: float) -> Seen:
        """Until there is news, at most so long."""
        with self.news:
            self.news.wait(seconds)
            return self.seen

    def stop(self) -> None:
        """Let it end everything, and wait until it has."""
        try:
            if self.process.stdin is not None:
                self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            self.process.kill()

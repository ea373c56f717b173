"""What goes along with the work: counts engines, tells which were lost and why.

When the last engine is lost, whatever is still to be computed ends with that reason instead of
waiting for ever. That does not depend on the scheduler: without any engine nothing waits longer
than a bound, whether it says nothing, or something that cannot be.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ipyparallel import Client

from cluster_helper.errors import ClusterError
from cluster_helper.progress import Line, progress_bar
from cluster_helper.request import Request
from cluster_helper.schedulers.dialect import ENDED, FAILED, WAITING
from cluster_helper.supervisor_client import Seen, SupervisorClient

_TICK = 0.5
_BEREFT = 60  # seconds without any engine after which none is expected, when no job waits either


@dataclass
class EngineMonitor:
    """A thread from the first engine to the end."""

    supervisor: SupervisorClient
    client: Client
    request: Request
    line: Line
    say: Callable[[str], None]
    last_words: Callable[[int], str]
    """The end of the log of a task."""
    told: set[int] = field(default_factory=set)
    most: int = 0
    bereft_since: float | None = None
    gave_up: str = ""
    """Why no engine is left."""

    def start(self) -> None:
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, name="engine monitor", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.over.set()
        self.thread.join(5)

    def _run(self) -> None:
        while not self.over.is_set():
            seen = self.supervisor.wait(_TICK)
            if not self.over.is_set():
                self._once(seen)

    def _once(self, seen: Seen) -> None:
        up = len(self.client.ids)
        if up < self.most - len(self.told):
            self.supervisor.look()
        self.most = max(self.most, up + len(self.told))
        self._tell_the_lost(seen)
        self.line.show(progress_bar(up, self.request.count, seen.note()))
        reason = seen.hopeless() or ("the supervisor has died" if self.supervisor.gone else "")
        if reason or self._is_bereft(up, seen):
            self._give_up(reason or seen.note() or "they have ended, whatever the scheduler says")

    def _is_bereft(self, up: int, seen: Seen) -> bool:
        """Whether there has been no engine for longer than one may wait for another."""
        now = time.monotonic()
        if up:
            self.bereft_since = None
            return False
        self.bereft_since = self.bereft_since or now
        waits = bool(seen.in_state(WAITING))
        return now - self.bereft_since > (self.request.patience if waits else _BEREFT)

    def _tell_the_lost(self, seen: Seen) -> None:
        for task in [*seen.in_state(ENDED), *seen.in_state(FAILED)]:
            if task.number not in self.told:
                self.told.add(task.number)
                where = f"job {seen.job}, task {task.number}"
                words = [task.reason or "its job has ended", self.last_words(task.number)]
                why = "; ".join(filter(None, words)).rstrip(".")
                self.say(f"Engine {task.number - 1} is lost ({where}): {why}.")

    def _give_up(self, reason: str) -> None:
        self.over.set()
        self.gave_up = reason
        if self.client.outstanding:
            self.say(f"No engine is left: {reason}.")
        fail_outstanding(self.client, ClusterError("no engine is left", reason))


def fail_outstanding(client: Client, error: ClusterError) -> None:
    """End every task without a result with an error, as ipyparallel does for a lost engine."""
    content = _as_sent(error)

    def fail() -> None:
        for msg_id in list(client.outstanding):
            message = client.session.msg("apply_reply", content=content)
            message["parent_header"]["msg_id"] = msg_id
            client._handle_apply_reply(message)

    client._io_loop.add_callback(fail)


def _as_sent(error: ClusterError) -> dict[str, Any]:
    """An error in the form in which engines send theirs."""
    from ipyparallel.error import wrap_exception

    try:
        raise error
    except ClusterError:
        content: dict[str, Any] = wrap_exception()
        return content

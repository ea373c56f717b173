"""Kills during upgrades while servers run: each goes on from the generation that it began from."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kills import PARTS, AnyMoment, Outcome
from test_conda_distribution import Account

PROGRAM = Path(__file__).parent / "programs" / "quick_server.py"
AT_ONCE = 4
EVERY = 0.1  # seconds between two requests


@dataclass
class Served:
    """What the people at the servers noticed."""

    servers: int = 0
    requests: int = 0
    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # generations that went under a server


class Server:
    """One that runs from the generation which is live when it starts."""

    def __init__(self, prefix: Path) -> None:
        self.generation = prefix.parent / prefix.readlink()
        argv = [self.generation / "bin/python", PROGRAM]
        self._process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout
        self._port = int(self._process.stdout.readline())

    def fault(self) -> str:
        """Why a request failed; empty when all came from its own generation."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=60) as answer:
                place, kernel = answer.read().decode().splitlines()
        except urllib.error.HTTPError as error:
            return f"{error}: {error.read().decode()}"
        except (OSError, ValueError) as error:
            return str(error)
        own = place.startswith(f"{self.generation}/") and kernel == f"{self.generation} 21"
        return "" if own else f"{place}, {kernel} instead of {self.generation}"

    def is_lost(self) -> bool:
        return self.generation.is_symlink() or not self.generation.is_dir()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


class Servers:
    """A few at once, each of another age; all are asked again and again."""

    def __init__(self, prefix: Path) -> None:
        self._prefix, self.served = prefix, Served()
        self._running: deque[Server] = deque()
        self._changing, self._end = threading.Lock(), threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._ask)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()
            for server in self._running:
                server.end()

    def turn_over(self) -> None:
        """The oldest ends, and a new one starts from what is live."""
        with self._changing:
            if len(self._running) == AT_ONCE:
                self._running.popleft().end()
            self._running.append(Server(self._prefix))
            self.served.servers += 1

    def _ask(self) -> None:
        while not self._end.wait(EVERY):
            with self._changing:
                for server in self._running:
                    self._ask_one(server)

    def _ask_one(self, server: Server) -> None:
        self.served.requests += 1
        fault = server.fault()
        if fault:
            self.served.failed.append(fault)
        if server.is_lost():
            self.served.lost.append(server.generation.name)


class UnderServers(AnyMoment):
    """Kills of any part at random moments; a server in four is another one after each round."""

    def __init__(self, account: Account, seed: int, sleep: float) -> None:
        super().__init__(account, seed, sleep)
        self._servers = Servers(account.prefix)
        self.served = self._servers.served

    def run(self, kills: int, clean: int) -> Outcome:
        with self._servers.running():
            super().run(kills, clean)
        self._prunes()
        return self.outcome

    def _kill_one(self, part: str) -> None:
        if part == PARTS[0] or self.served.servers < AT_ONCE:
            self._servers.turn_over()
        super()._kill_one(part)

    def _prunes(self) -> None:
        """Nobody runs from anything any more: all go but the live one and the one before."""
        self._upgrades.next().run()
        left = [path for path in self._upgrades.store.glob("miniforge-*") if not path.is_symlink()]
        if len(left) != 2:
            self.outcome.faults.append(f"{sorted(path.name for path in left)} stay for nobody")

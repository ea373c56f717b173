"""Damaged installers, handed to the whole worker: each one has to be refused, and none executed."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell

_PROGRAM = "#!/bin/sh\ntouch @CANARY@ || exit\n"


@dataclass
class Outcome:
    """How it went with so many of them."""

    refused: int = 0
    executed: int = 0

    def count(self, worker: Worker, content: bytes) -> None:
        """Try one of them."""
        code, words = worker.run(content)
        self.refused += code == 1 and "wrong checksum" in words
        self.executed += worker.canary.exists() or bool(list(worker.store.glob("downloads/*")))
        worker.canary.unlink(missing_ok=True)


class Worker:
    """The worker as it runs on a host; the installer lies where an upload leaves it."""

    def __init__(self, directory: Path) -> None:
        self.store = directory / "anaconda.d"
        self.canary = directory / "executed"
        text = _PROGRAM.replace("@CANARY@", str(self.canary))
        # Every line would leave the canary, wherever a truncation or a flip hits the others.
        self.good = (text + "".join(f"touch {self.canary} # {n}\n" for n in range(20))).encode()
        self._work = self.store / "work/run"
        for place in (self._work / "home", self._work / "tmp", self.store / "markers"):
            place.mkdir(parents=True)
        (self.store / "downloads").mkdir()
        (self._work / "worker.sh").write_text(self._program(directory))

    def _program(self, directory: Path) -> str:
        settings = dict.fromkeys(
            ("DISTRIBUTION", "PACKAGES", "PACKAGES_FROM", "REINSTALL", "INDEX_URL", "CHANNELS"), ""
        )
        known = {"PREFIX": f"{directory}/anaconda", "RUN": "run", "JOB": "install", "VERSION": "1"}
        sha256 = hashlib.sha256(self.good).hexdigest()
        numbers = {"KIB": 0, "INODES": 0, "DEADLINE": 60}
        name = {"GENERATION": f"miniforge-1-{sha256[:12]}", "SHA256": sha256, "URL": "https://a/b"}
        return host_shell.worker({**settings, **known, **numbers, **name})

    def run(self, content: bytes) -> tuple[int, str]:
        """The worker's exit code and its last words."""
        (self._work / "upload").write_bytes(content)
        for place in ("home", "tmp"):
            (self._work / place).mkdir(exist_ok=True)
        argv = ["sh", str(self._work / "worker.sh")]
        done = subprocess.run(
            argv, env=dict(os.environ), capture_output=True, text=True, check=False
        )
        return done.returncode, (self._work / "exit").read_text()


def damaged(good: bytes, each: int) -> Iterator[bytes]:
    """So many with one byte changed, then so many that end too early."""
    chance = random.Random(20141)
    for _number in range(each):
        place = chance.randrange(len(good))
        yield good[:place] + bytes([good[place] ^ chance.randrange(1, 256)]) + good[place + 1 :]
    for _number in range(each):
        yield good[: chance.randrange(len(good))]


def campaign(directory: Path, each: int) -> tuple[bool, Outcome]:
    """Whether the good one is executed, and what became of the damaged ones."""
    worker = Worker(directory)
    worker.run(worker.good)
    executed = worker.canary.exists()
    worker.canary.unlink(missing_ok=True)
    (kept,) = worker.store.glob("downloads/*.sh")
    kept.unlink()
    outcome = Outcome()
    for content in damaged(worker.good, each):
        outcome.count(worker, content)
    return executed, outcome

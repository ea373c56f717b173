"""A person with an installation's store, and neighbours: programs run as each of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import Question

PERSON, NEIGHBOUR = 61001, 61002
ROOT = os.geteuid() == 0


def as_user(uid: int) -> list[str]:
    """What stands before a command that this user runs; only root can be somebody else."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if ROOT else []


@dataclass
class Person:
    """Somebody with a home that others can look into."""

    home: Path
    prefix: Path

    @property
    def store(self) -> Path:
        return Path(f"{self.prefix}.d")

    def run(self, argv: Sequence[str], program: str = "") -> subprocess.CompletedProcess[str]:
        env = {"HOME": str(self.home), "PATH": os.environ["PATH"]}
        return subprocess.run(
            [*as_user(PERSON), *argv],
            input=program, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def ask(self, name: str, **settings: object) -> Answers:
        return self.asked(host_shell.small(name, {"PREFIX": str(self.prefix), **settings}))

    def asked(self, asked: Question) -> Answers:
        return asked.answers(self.run(["sh", "-s"], asked.program).stdout)

    def probe(self, state: str = "present", **settings: object) -> Answers:
        return self.ask("probe", STATE=state, ADOPT="", **settings)


@contextmanager
def person() -> Iterator[Person]:
    """Nothing is left of the home afterwards."""
    home = Path(tempfile.mkdtemp(prefix="hpcc-person-"))
    home.chmod(0o755)
    if ROOT:
        os.chown(home, PERSON, PERSON)
    try:
        yield Person(home, home / "anaconda")
    finally:
        shutil.rmtree(home)


@contextmanager
def process(uid: int, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this user that runs from elsewhere and says this of itself."""
    script = "read -r _end"
    name = arguments[0].encode()
    argv = [*as_user(uid), "bash", "-c", 'exec -a "$0" "$@"', arguments[0], "sh", "-c", script]
    with subprocess.Popen([*argv, *arguments[1:]], stdin=subprocess.PIPE) as running:
        assert running.stdin
        try:
            while not Path(f"/proc/{running.pid}/cmdline").read_bytes().startswith(name):
                time.sleep(0.01)
            yield running
        finally:
            running.kill()

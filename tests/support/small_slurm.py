"""Jobs of an account of this machine: the job's own script and program, on a Slurm of one node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._job import supervisor
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.sent_program import program
from servers import Account, new_account

SCHEDULER = Path(__file__).parent / "programs" / "small_slurm.py"
COMMANDS = ("sbatch", "squeue", "scancel", "scontrol")


class JobAccount:
    """An account whose notebook is a job."""

    def __init__(self, account: Account) -> None:
        self.account = account
        programs = account.home / "programs"
        programs.mkdir()
        for name in COMMANDS:
            (programs / name).write_text(f"#!{account.python}\n{SCHEDULER.read_text()}")
            (programs / name).chmod(0o755)
        self.path = f"{programs}:{os.environ['PATH']}"
        self.program = program(supervisor.__name__)

    @property
    def submission(self) -> Path:
        return self.account.directory / "job" / "submission.json"

    def questions(self) -> int:
        """How many times the scheduler was asked."""
        noted = (self.account.home / "slurm" / "commands").read_text().split()
        return noted.count("squeue")

    def slurm(self, command: str, *words: str) -> None:
        """What a person or an administrator types."""
        self.account.run(str(self.account.home / "programs" / command), *words)

    def run(self, state: str, **params: Any) -> dict[str, Any]:
        """The module; a job that starts is waited for as the action does."""
        answer = self.account.finish(self.begin(state, **params))
        while state in ("started", "restarted") and answer["state"] in ("waiting", "starting"):
            answer = self.account.finish(self.begin("joined", wait=60, **params))
        return answer

    def begin(self, state: str, **params: Any) -> Any:
        """The same without waiting for its end."""
        sent = {"program": self.program} if state in ("started", "restarted") else {}
        given = {"module": "notebook_job", "environment": {"PATH": self.path}.items()}
        return self.account.begin(state=state, **given, **sent, **params)

    @contextmanager
    def refusing(self, command: str, after: float = 0) -> Iterator[None]:
        """The scheduler refuses one of its commands for a while: `after` seconds, each time."""
        mark = self.account.home / "slurm" / f"refuses-{command}"
        mark.write_text(str(after))
        try:
            yield
        finally:
            mark.unlink()


@contextmanager
def job_account(python: str) -> Iterator[JobAccount]:
    """A new one, and nothing of it afterwards."""
    found = JobAccount(new_account(python))
    try:
        yield found
    finally:
        found.account.clean_up()

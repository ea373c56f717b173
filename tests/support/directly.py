"""The action in this process: the same code as a playbook runs, without its second of start-up.

For campaigns of hundreds of runs. The commands go to a shell of this machine, optionally behind
another command (nsenter) and with another environment. As a program of its own it can be killed:

    directly.py < {"options": {…}, "environment": {…}}       prints the result
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "playbooks/collections"))

from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible_collections.hpcc.notebook.plugins.action.conda_distribution import ActionModule
from one_task import TaskFailed


class Directly:
    """Runs the action again and again, each time with these options unless others are given."""

    def __init__(
        self,
        options: Mapping[str, Any],
        environment: Mapping[str, str],
        behind: Sequence[str] = (),
    ) -> None:
        self.options = dict(options)
        self.environment = dict(environment)
        self.behind = list(behind)
        self.apart = False  # whether each command gets a process group of its own

    def run(self, *, check: bool = False, **changes: Any) -> dict[str, Any]:
        """The result of the task; raises when it failed."""
        wanted = {**self.options, **changes}
        task = Task.load({"action": "hpcc.notebook.conda_distribution", "args": {}})
        task.args = {name: value for name, value in wanted.items() if value != ""}
        task.check_mode = check
        play = PlayContext()
        connection = connection_loader.get("local", play, "/dev/null")
        action = ActionModule(task, connection, play, None, None, None)
        action._execute = self._execute  # type: ignore[method-assign]
        action._connection = SimpleNamespace(put_file=shutil.copy, _shell=connection._shell)
        result: dict[str, Any] = action.run(task_vars={})
        if result.get("failed"):
            raise TaskFailed(result["msg"])
        return result

    def _execute(self, command: str, stdin: bytes) -> dict[str, Any]:
        done = subprocess.run(
            [*self.behind, "sh", "-c", command],
            input=stdin, env=self.environment, capture_output=True, check=False,
            start_new_session=self.apart,
        )  # fmt: skip
        return {
            "rc": done.returncode,
            "stdout": done.stdout.decode(errors="replace"),
            "stderr": done.stderr.decode(errors="replace"),
        }


def worker(store: Path) -> int:
    """The process that has the lock; OSError when none has."""
    record = str((store / "lock").readlink())
    return int(dict(word.split("=", 1) for word in record.split())["pid"])


def at_rest(store: Path) -> bool:
    """Whether the worker, which still compiles when its run has ended, ends and frees its lock."""
    deadline = time.monotonic() + 60
    while (store / "lock").is_symlink() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not (store / "lock").is_symlink()


if __name__ == "__main__":
    try:
        found = Directly(**json.load(sys.stdin)).run()
    except TaskFailed as failed:
        sys.exit(str(failed))
    json.dump(found, sys.stdout)

"""Modules run by a process that has imported them already: each run is a fork of it.

A run has the effects, the account, the environment and the standard streams of one that was started
by itself; what it saves is a third of a second of imports, hundreds of times.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SUPPORT = Path(__file__).parent
COLLECTIONS = SUPPORT.parents[1] / "playbooks" / "collections"
MODULES = "ansible_collections.hpcc.notebook.plugins.modules"
WARM = ("notebook_server", "notebook_server_info")


class Warm:
    """The process, started with the first run."""

    def __init__(self, python: str) -> None:
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, uid: int, environment: Mapping[str, str], asked: Mapping[str, Any]) -> str:
        """What the run printed; TimeoutError when it holds its output for too long."""
        process = self._started()
        assert process.stdin
        assert process.stdout
        line = {"uid": uid, "environment": environment, "asked": asked}
        process.stdin.write(json.dumps(line).encode() + b"\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], 100)[0]:
            self.close()
            raise TimeoutError("the module, or what it has started, holds its output")
        answer: str = json.loads(process.stdout.readline())
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [self._python, __file__], cwd="/", env={"PATH": os.environ["PATH"]},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def main() -> None:
    """Fork for each line that is read; print what the child has printed, until its end."""
    sys.path[:0] = [str(SUPPORT), str(COLLECTIONS)]
    import importlib

    for name in WARM:
        importlib.import_module(f"{MODULES}.{name}")
    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            _child(write, **json.loads(line))
        os.close(write)
        with os.fdopen(read) as answer:
            said = answer.read()
        os.waitpid(child, 0)
        sys.stdout.write(f"{json.dumps(said)}\n")
        sys.stdout.flush()


def _child(output: int, uid: int, environment: dict[str, str], asked: dict[str, Any]) -> None:
    """The run itself; never returns."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.environ.clear()
        os.environ.update(environment)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        print(json.dumps(answer(**asked)), flush=True)
        code = 0
    finally:
        os._exit(code)


def answer(module: str, **asked: Any) -> dict[str, Any]:
    """The result of the module, failed or not."""
    import importlib

    from modules import ModuleFailed, run_module

    try:
        return run_module(importlib.import_module(f"{MODULES}.{module}"), **asked)
    except ModuleFailed as failed:
        return failed.result


if __name__ == "__main__":
    main()

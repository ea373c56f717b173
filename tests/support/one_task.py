"""Run one task through ansible-playbook, as a person does, and give its result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]


class TaskFailed(Exception):  # noqa: N818 - reads as what happened
    """The task ended with failed: true; the message is what a person reads."""


def command(
    directory: Path, task: Mapping[str, Any], *, check: bool = False, connection: str = "local"
) -> list[str]:
    """Write a playbook with this one task on the local host; give the command that runs it."""
    play = {
        "hosts": "localhost",
        "connection": connection,
        "gather_facts": False,
        "tasks": [dict(task)],
    }
    playbook = directory / "play.yml"
    playbook.write_text(json.dumps([play]))
    program = Path(sys.executable).parent / "ansible-playbook"
    return [
        str(program),
        "-i",
        "localhost,",
        str(playbook),
        *(["--check"] if check else []),
        "--diff",
    ]


def environment(directory: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The person's own, with a configuration that knows this checkout and writes results."""
    return {
        **os.environ,
        "HOME": str(directory / "home"),
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "write_result",
        "WRITE_RESULT_TO": str(directory / "result.json"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        **extra,
    }


def run_task(
    directory: Path,
    task: Mapping[str, Any],
    env: Mapping[str, str],
    *,
    check: bool = False,
    connection: str = "local",
) -> dict[str, Any]:
    """Give the result of the task; raise TaskFailed when it failed."""
    (directory / "home").mkdir(exist_ok=True)
    (directory / "ansible.cfg").touch()
    argv = command(directory, task, check=check, connection=connection)
    done = subprocess.run(
        argv, env=environment(directory, env), capture_output=True, text=True, check=False
    )
    written = directory / "result.json"
    assert written.exists(), f"{done.stdout}\n{done.stderr}"
    result = json.loads(written.read_text())
    written.unlink()
    if result.get("failed"):
        raise TaskFailed(result["msg"])
    return {**result, "stdout": done.stdout, "stderr": done.stderr}


def through_a_login_shell(
    directory: Path, shell: str = "bash", *, pipelining: bool = True
) -> dict[str, str]:
    """Settings for a connection as sshd makes it: the login shell reads its files first."""
    ssh = directory / "ssh"
    ssh.write_text(
        f"""#!/bin/sh
for command; do :; done
unset SHLVL
SSH_CLIENT=yes exec {shell} -c "$command"
"""
    )
    ssh.chmod(0o755)
    return {
        "ANSIBLE_SSH_EXECUTABLE": str(ssh),
        "ANSIBLE_PIPELINING": str(pipelining).lower(),
        "ANSIBLE_SSH_TRANSFER_METHOD": "piped",
    }

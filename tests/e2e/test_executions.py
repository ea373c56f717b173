"""How often a playbook that has nothing to do runs something on the node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from connecting import VARIABLES
from terminal import playbook

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
MOST = {"setup": 3, "status": 3, "start": 2, "restart": 2, "stop": 2}
# What is executed there ends with the command, as one word; `ssh -G` and `ssh -O` have none.
COUNTING = """#!/bin/sh
for word; do :; done
case $word in *"/bin/sh -c "*) echo execution >>"{log}" ;; esac
exec ssh "$@"
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has a line for each execution on the node."""
    ssh, log = tmp_path / "ssh", tmp_path / "log"
    ssh.write_text(COUNTING.format(log=log))
    ssh.chmod(0o755)
    log.touch()
    monkeypatch.setenv("ANSIBLE_SSH_EXECUTABLE", str(ssh))
    return log


@pytest.mark.parametrize("name", ["setup", "status", "start"])
def test_nothing_to_do_costs_few_executions(
    first_run: dict[str, str], log: Path, name: str
) -> None:
    assert "changed=0" not in first_run["setup"]
    assert "changed=0" in playbook(name, "-e", VARIABLES)
    assert 1 <= len(log.read_text().splitlines()) <= MOST[name]


@pytest.mark.usefixtures("first_run")
def test_starting_and_stopping_cost_few_executions_and_skip_no_task(log: Path) -> None:
    """Nobody without jobs reads of them."""
    for name in ("start", "restart", "stop", "stop", "start"):
        log.write_text("")
        said = playbook(name, "-e", VARIABLES)
        assert "skipping: " not in said, name
        assert 1 <= len(log.read_text().splitlines()) <= MOST[name], name


def test_the_counter_sees_what_ansible_runs_there(log: Path) -> None:
    ssh = log.parent / "ssh"
    subprocess.run([ssh, "-G", "node"], check=True, capture_output=True)
    subprocess.run([ssh, "-G", "node", "/bin/sh -c 'exit 0'"], check=True, capture_output=True)
    assert log.read_text() == "execution\n"

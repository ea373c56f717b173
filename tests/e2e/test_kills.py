"""The controller is killed at each task of the setup: nothing is lost, and the next run goes on."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess

import pytest
from terminal import BIN, CHECKOUT, CLUSTER, STATE, environment, playbook

USER = "kim"
CALLBACKS = CHECKOUT / "tests" / "support" / "callbacks"
USED = """
set -eo pipefail
~/anaconda/bin/python -c 'import jupyter_server'
source /etc/profile.d/lmod.sh; module use ~/modulefiles; module load anaconda
test "$(command -v python)" = ~/anaconda/bin/python
cd ~/.ipython/profile_nbserver/security
openssl pkey -pubout -in notebook.key > ~/public
openssl x509 -noout -pubkey -in notebook.crt | cmp - ~/public
"""


def options(version: str, password: str) -> list[str]:
    """A setup in which each task has something to do that the last version did otherwise."""
    published = json.loads((STATE / "installer.json").read_text())["installers"]
    found = next(each for each in published if each["version"] == version)
    variables = {
        "ansible_user": USER,
        "anaconda_version": version,
        "anaconda_url": found["url"],
        "anaconda_sha256": found["sha256"],
        "lmod_module_description": f"Python, {version}",
        "nbserver_profile_password": password,
    }
    return ["-e", json.dumps(variables)]


def killed_at(task: int, wanted: list[str]) -> bool:
    """Whether the setup came so far; otherwise it came to its end."""
    callbacks = {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "kill_at_task",
        "KILL_AT_TASK": str(task),
    }
    argv = [
        str(BIN / "ansible-playbook"),
        "playbooks/setup.yml",
        "-i",
        str(STATE / "inventory.ini"),
    ]
    done = subprocess.run(
        [*argv, *wanted], cwd=CHECKOUT, env={**environment(), **callbacks}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
    return done.returncode != 0


def usable() -> bool:
    argv = ["ssh", "-F", str(STATE / "ssh_config"), f"{USER}@dev1", "bash -s"]
    return subprocess.run(argv, input=USED, text=True, check=False).returncode == 0


@pytest.mark.fault("F34 every task")
@pytest.mark.timeout(900)
def test_a_setup_that_is_killed_at_each_of_its_tasks_goes_on_and_loses_nothing(
    account: str,
) -> None:
    assert account != USER
    subprocess.run([*CLUSTER, "reset", USER], check=True)
    first = options("1.0", "a walk along the Red Cedar")
    tasks = next(task for task in itertools.count(1) if not killed_at(task, first)) - 1
    assert tasks >= 8  # each that goes to the node, and those that check and ask before
    assert usable()
    second = options("1.1", "a walk along the Grand River")
    for task in range(1, tasks + 1):
        assert killed_at(task, second)
        assert usable(), f"killed at task {task}"
    playbook("setup", *second)
    assert usable()
    assert "changed=0" in playbook("setup", *second)

"""A check run on a fresh account names what the real run would do, and does nothing."""

from __future__ import annotations

import json
import subprocess

import pytest
from terminal import CLUSTER, STATE, playbook

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
PASSWORD = "a walk along the Red Cedar"
VARIABLES = json.dumps({"ansible_user": "bob", "nbserver_profile_password": PASSWORD})
SSH = ["ssh", "-F", str(STATE / "ssh_config"), "bob@dev1"]
LISTING = "find . -not -path './.ansible*' -printf '%p %m %s %T@\\n' | grep -v '^. ' | sort"
WHAT_IS_TO_COME = (
    "miniforge-1.0",
    "jupyterlab>=4.6",
    'setenv("ANACONDA_HOME"',
    "profile_nbserver",
    "jupyter_server_config.py",
    "password hash",
)


def home() -> str:
    done = subprocess.run([*SSH, LISTING], check=True, capture_output=True, text=True)
    return done.stdout


def test_a_check_run_on_a_fresh_account_foretells_and_changes_nothing(account: str) -> None:
    assert account == "alice"
    subprocess.run([*CLUSTER, "reset", "bob"], check=True)
    before = home()
    foretold = playbook("setup", "-e", VARIABLES, "--check", "--diff")
    assert home() == before
    assert "changed=0" not in foretold
    for name in WHAT_IS_TO_COME:
        assert name in foretold, f"{name} is not foretold in:\n{foretold}"
    assert PASSWORD not in foretold

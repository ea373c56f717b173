"""A container that runs with a user number which it has no account for: ssh itself refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SAID = "this computer has no account with your user number 0, and ssh wants one"
# In a file system of its own, where nobody has an account.
NOBODY = """
for file in /etc/passwd /etc/nsswitch.conf; do mount --bind /dev/null $file; done
exec "$@"
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


@pytest.mark.parametrize("playbook", ["status", "setup", "doctor"])
def test_it_is_told_in_one_line_what_is_wrong_and_what_to_do(tmp_path: Path, playbook: str) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(
        "[hpcc_dev]\nnode ansible_host=127.0.0.1 ansible_port=1 ansible_user=alice\n"
    )
    name = str(CHECKOUT / "playbooks" / f"{playbook}.yml")
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", str(inventory), name]
    command += ["-e", "anaconda_distribution=miniforge"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", NOBODY, "sh", *command],
        env={**os.environ, "HOME": str(tmp_path)}, cwd=tmp_path, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode
    assert SAID in said
    assert "add one to its /etc/passwd" in said
    assert "Correct that option" not in said
    assert "no OpenSSH" not in said
    assert "No user exists" not in said

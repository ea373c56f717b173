"""One installation in a home that two nodes share, with a connection that breaks."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from pathlib import Path

import pytest
from terminal import BIN, CHECKOUT, CLUSTER, STATE, environment

OWNER, MEMBER = "frank", "erin"
PLAY = [{"hosts": "hpcc_dev", "gather_facts": False, "roles": ["hpcc.notebook.anaconda"]}]


def ssh(user: str, host: str, command: str) -> str:
    argv = ["ssh", "-F", str(STATE / "ssh_config"), f"{user}@{host}", command]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


class Role:
    """Runs of the role `anaconda` alone."""

    def __init__(self, directory: Path) -> None:
        self._play = directory / "play.yml"
        self._play.write_text(json.dumps(PLAY))

    def start(self, user: str, host: str, **variables: object) -> subprocess.Popen[str]:
        wanted = {"anaconda_packages": ["ipykernel"], "ansible_user": user, **variables}
        extra = json.dumps({**wanted, "ansible_host": host})
        argv = [BIN / "ansible-playbook", "-i", STATE / "inventory.ini", self._play, "-e", extra]
        return subprocess.Popen(
            [str(word) for word in argv], cwd=CHECKOUT, env=environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, user: str, host: str, **variables: object) -> str:
        return self.start(user, host, **variables).communicate()[0]


@pytest.fixture
def role(account: str, tmp_path: Path) -> Role:
    assert account not in (OWNER, MEMBER)
    subprocess.run([*CLUSTER, "reset", OWNER, MEMBER], check=True)
    return Role(tmp_path)


def working(host: str) -> str:
    """The process group of the worker, as soon as there is one."""
    deadline = time.monotonic() + 120
    while not (record := ssh(OWNER, host, "readlink anaconda.d/lock")):
        assert time.monotonic() < deadline
    return dict(word.split("=", 1) for word in record.split())["group"]


def says(run: subprocess.Popen[str], wanted: str) -> str:
    """What a run has said, as soon as something is among it."""
    assert run.stdout
    said = ""
    while wanted not in said:
        more = os.read(run.stdout.fileno(), 65536).decode()
        assert more, f"the run has ended: {said}"
        said += more
    return said


def end_every_connection(run: subprocess.Popen[str]) -> str:
    """Give what the run has said when it has noticed; between two questions it does not."""
    assert run.stdout
    said = ""
    while "the connection was lost; trying again" not in said:
        subprocess.run(
            [*CLUSTER, "root", "dev1", "pkill", "-KILL", "-u", OWNER, "sshd"], check=False
        )
        while select.select([run.stdout], [], [], 5)[0] and "lost" not in said:
            more = os.read(run.stdout.fileno(), 65536).decode()
            assert more, f"the run has ended: {said}"
            said += more
    return said


@pytest.mark.fault("F38 dropped connection")
@pytest.mark.timeout(600)
def test_two_nodes_a_broken_connection_and_a_member_of_the_lab(role: Role) -> None:
    first = role.start(OWNER, "dev1")
    group = working("dev1")
    # It stands still, so that it has not ended before everything here has happened.
    ssh(OWNER, "dev1", f"kill -STOP -- -{group}")
    # The other node does not start a second one: it says who works, and waits.
    other = role.start(OWNER, "dev2")
    assert f"{OWNER} on dev1 (process" in says(other, "waiting for its end")
    # Every connection of the account ends; the run makes a new one and goes on.
    said = end_every_connection(first)
    ssh(OWNER, "dev1", f"kill -CONT -- -{group}")
    said += first.communicate()[0]
    assert first.returncode == 0, said
    waited = other.communicate()[0]
    assert other.returncode == 0, waited
    assert ssh(OWNER, "dev1", "grep -l '== install' anaconda.d/logs/*.log | wc -l") == "1"
    assert "changed=0" in role.run(OWNER, "dev2")
    # Somebody who may only read it finds it complete, and has nothing to do or to download.
    compiled = "while [ -L anaconda.d/lock ]; do sleep 0.1; done"
    ssh(OWNER, "dev1", f"{compiled}; chmod 755 .; touch now")
    shared = {"anaconda_prefix": f"/home/{OWNER}/anaconda", "anaconda_owner": OWNER}
    assert "changed=0" in role.run(MEMBER, "dev1", **shared)
    assert ssh(OWNER, "dev1", "find anaconda.d -newer now -not -name '*.pyc' | head -n 3") == ""
    refused = role.run(MEMBER, "dev1", anaconda_packages=["nbclassic"], **shared)
    assert f"{MEMBER} may not write there" in " ".join(refused.split())

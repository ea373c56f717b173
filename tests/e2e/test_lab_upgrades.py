"""A member of a lab works on while the owner upgrades: on another node, or unseen on hers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kernels import Kernel
from terminal import BIN, CHECKOUT, CLUSTER, STATE, environment

sys.path.append(str(Path(__file__).parents[1] / "safety"))
from people import PASSWORD, Person

pytestmark = pytest.mark.timeout(900)
OWNER, MEMBER = Person("dave", "dev1"), Person("carol", "dev2")
BESIDE = Person(MEMBER.name, OWNER.host)
PREFIX = f"/home/{OWNER.name}/lab"
INVENTORY = f"""
[lab_owner]
lab ansible_host={OWNER.host} ansible_user={OWNER.name}
[lab_members]
member ansible_host={MEMBER.host} ansible_user={MEMBER.name}
beside ansible_host={BESIDE.host} ansible_user={BESIDE.name}
[hpcc_dev:children]
lab_owner
lab_members
[hpcc_dev:vars]
anaconda_prefix={PREFIX}
anaconda_owner={OWNER.name}
"""


class Lab:
    """What its people type, each on a node of their own."""

    def __init__(self, directory: Path) -> None:
        self._inventory = directory / "lab.ini"
        self._inventory.write_text(INVENTORY)

    def plays(self, playbook: str, host: str, **variables: object) -> str:
        """What the playbook says on one line."""
        argv = [
            *(BIN / "ansible-playbook", playbook, "--limit", host),
            *("-i", STATE / "inventory.ini", "-i", self._inventory),
            *("-e", json.dumps({"nbserver_profile_password": PASSWORD, **variables})),
        ]
        done = subprocess.run(
            [str(word) for word in argv], cwd=CHECKOUT, env=environment(), check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def upgrades(self, number: int) -> str:
        """The owner's next version: one of the two installers, under a number of its own."""
        published = json.loads((STATE / "installer.json").read_text())["installers"]
        one = published[number % 2]
        return self.plays(
            "docs/lab/lab.yml", "lab", anaconda_packages=["ipykernel", "cryptography"],
            anaconda_version=f"2.{number}", anaconda_url=one["url"], anaconda_sha256=one["sha256"],
        )  # fmt: skip

    @property
    def live(self) -> str:
        return OWNER.says(f"readlink -f {PREFIX}")


@pytest.fixture
def lab(account: str, tmp_path: Path) -> Lab:
    assert account not in (OWNER.name, MEMBER.name)
    subprocess.run([*CLUSTER, "reset", OWNER.name, MEMBER.name], check=True)
    OWNER.says("chmod 711 .")
    return Lab(tmp_path)


# The nodes have no program for it.
_REMOUNT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
code = libc.mount(None, b"/proc", None, 32, sys.argv[1].encode())  # MS_REMOUNT
assert code == 0, os.strerror(ctypes.get_errno())
"""


@contextmanager
def hidden_processes(host: str) -> Iterator[None]:
    """As many centres mount /proc: who is not root sees no process but their own."""
    remount = [*CLUSTER, "root", "--privileged", host, "python3", "-c", _REMOUNT]
    subprocess.run([*remount, "hidepid=2"], check=True)
    try:
        yield
    finally:
        subprocess.run([*remount, "hidepid=0"], check=True)


def is_pruned(generation: str) -> bool:
    return OWNER.says(f"readlink {generation} || echo is there") == f"../{Path(PREFIX).name}"


def test_a_member_on_another_node_works_on_through_three_upgrades_and_the_next_one_prunes(
    lab: Lab,
) -> None:
    lab.plays("docs/lab/lab.yml", "lab")
    first = lab.live
    lab.plays("docs/lab/lab.yml", "member")
    lab.plays("playbooks/start.yml", "member")
    early = Kernel(MEMBER, first)
    assert early.computes('__import__("sys").prefix') == first
    assert early.computes('"wave" in __import__("sys").modules') == "False"

    told = [lab.upgrades(number) for number in (1, 2, 3)]
    assert lab.live != first
    assert not is_pruned(first)
    name = Path(first).name
    assert [f"{name} stays: a program of another host" in said for said in told] == [
        *(False, True, True)
    ], "the first upgrade keeps it as the one before"
    assert early.computes('__import__("wave").__file__').startswith(f"{first}/lib/")
    late = Kernel(MEMBER, first)
    assert late.computes('__import__("sys").prefix') == first
    status = lab.plays("playbooks/status.yml", "member")
    assert "is installed; restart brings it" in status

    lab.plays("playbooks/stop.yml", "member")
    assert "stays: " not in lab.upgrades(4)
    assert is_pruned(first)
    assert MEMBER.says("ls -d lab lab.d anaconda anaconda.d 2>/dev/null; true") == ""


def test_a_member_whose_processes_the_owner_cannot_see_works_on_all_the_same(lab: Lab) -> None:
    with hidden_processes(OWNER.host):
        lab.plays("docs/lab/lab.yml", "lab")
        first = lab.live
        lab.plays("docs/lab/lab.yml", "beside")
        lab.plays("playbooks/start.yml", "beside")
        kernel = Kernel(BESIDE, first)
        seen = OWNER.says(f"ps -o pid= -u {BESIDE.name} || echo none")
        told = [lab.upgrades(number) for number in (1, 2)]
        assert kernel.computes('__import__("wave").__file__').startswith(f"{first}/lib/")
        lab.plays("playbooks/stop.yml", "beside")
        told.append(lab.upgrades(3))
    assert seen == "none"
    kept = f"{Path(first).name} stays: a program of another host, or of somebody whose processes"
    assert [kept in said for said in told] == [False, True, False]
    assert is_pruned(first)

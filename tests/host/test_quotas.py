"""The person's quota at home, as its tools print it, and nothing where they say nothing.

No kernel here counts for `quota`: its lines are those that the program prints elsewhere, and those
of `lfs` were recorded at three sites.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.quota import Quota, parse
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import node
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import Finding, Seen
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.node import QUESTIONS
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import quotas
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.quotas import Mount
from ansible_collections.hpcc.notebook.plugins.module_utils._server import limits, table
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS
from servers import new_account

KIB = 1 << 10
HEAD = """\
Disk quotas for user ann (uid 1001):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
"""
LUSTRE = """\
Disk quotas for usr ann (uid 1001):
     Filesystem  kbytes   quota   limit   grace   files   quota   limit   grace
"""
HOME = "reed:/export/reed/8"
ANSWERING = (SCRIPTS / "shared/answer.sh").read_text()  # what each program for a node begins with


@pytest.mark.parametrize(
    ("said", "name", "found"),
    [
        (
            f"{HEAD}/dev/sdc 1 2 3 0 4 5 6 0\n"
            f"{HOME} 3156648  3190784 3509864       0  109859  319080  350988       0\n",
            HOME,
            Quota(3156648 * KIB, 3509864 * KIB, 109859, 350988),
        ),
        (
            f"{HEAD}{HOME}   15860*  15360   20480 1784367000      26       0       0       0\n",
            HOME,
            Quota(15860 * KIB, 20480 * KIB, 26, 0),
        ),
        (f"{HEAD}{HOME} 1 500 0 0 2 0 0 0\n", HOME, Quota(KIB, 500 * KIB, 2, 0)),
        (f"{HEAD}{HOME} 22540 0 0 0 338 0 40000 0\n", HOME, Quota(22540 * KIB, 0, 338, 40000)),
        (f"{HEAD}{HOME} 22540 0 0 0 338 0 0 0\n", HOME, None),
        (f"{HEAD}/dev/sdc 1 2 3 0 4 5 6 0\n", HOME, None),
        (f"{HEAD}{HOME} 1 2\n", HOME, None),
        (f"{HEAD}{HOME} a b c d e f g h\n", HOME, None),
        ("Disk quotas for user ann (uid 1001): none\n", HOME, None),
        ("", HOME, None),
        (
            f"{LUSTRE}/home/mila/a/ann\n"
            "                95747836       0 104857600       -  908722       0 1048576       -\n"
            "uid 1001 is using default block quota setting\n",
            "/home/mila/a/ann",
            Quota(95747836 * KIB, 104857600 * KIB, 908722, 1048576),
        ),
        (
            f"{LUSTRE}        /lustre [1041408]  5242880 6291456       -     [0]       0       0\n",
            "/lustre",
            Quota(1041408 * KIB, 6291456 * KIB, 0, 0),
        ),
    ],
)
def test_what_a_tool_prints_is_read_or_nothing_is_known(
    said: str, name: str, found: Quota | None
) -> None:
    assert parse(said, name) == found


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /home rw,relatime shared:20 - autofs systemd-1 rw,fd=30
41 40 0:36 / /home rw,relatime shared:21 - nfs4 nfs01:/export/home rw,vers=4.2
42 41 0:37 / /home/my\\040data rw - lustre 10.0.0.1@o2ib:/data rw
nonsense
"""


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/home/ann", Mount("/home", "nfs4", "nfs01:/export/home")),
        ("/homes/ann", Mount("/", "ext4", "/dev/sda1")),
        ("/home/my data/x", Mount("/home/my data", "lustre", "10.0.0.1@o2ib:/data")),
    ],
)
def test_a_home_lies_where_the_kernel_says(path: str, mount: Mount) -> None:
    assert quotas.mount_of(path, MOUNTS.splitlines()) == mount
    assert quotas.mount_of(path, []) is None


def device(path: Path) -> str:
    """The file system of a path as `df` calls it, which the kernel's table calls the same."""
    argv = ["df", "-P", str(path)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return said.splitlines()[1].split()[0]


def with_quota(tmp_path: Path, body: str) -> str:
    """A PATH whose first `quota` is this program."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "quota").write_text(f"#!/bin/sh\n{body}\n")
    (programs / "quota").chmod(0o755)
    return f"{programs}:{os.environ['PATH']}"


def test_the_tool_is_asked_about_the_file_system_of_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f'[ "$*" = "-w -p" ] && [ "$LC_ALL" = C ] && echo {device(tmp_path)} 9 10 20 0 3 0 0 0'
    monkeypatch.setenv("PATH", with_quota(tmp_path, body))
    assert quotas.at(str(tmp_path), "ann") == Quota(9 * KIB, 20 * KIB, 3, 0)


def test_a_file_server_that_is_down_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", with_quota(tmp_path, "exec sleep 60"))
    monkeypatch.setattr(quotas, "WITHIN", 0.3)
    begun = time.monotonic()
    assert quotas.at(str(tmp_path), "ann") is None
    assert time.monotonic() - begun < 20


def test_where_no_tool_is_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert quotas.at(str(tmp_path), "ann") is None
    assert limits.home({}) is None
    assert table.homes({"dev1": {}, "dev2": {"msg": "unreachable"}}) == []


def test_status_asks_as_the_person_at_their_home(everybodys_python: str) -> None:
    account = new_account(everybodys_python)
    try:
        path = with_quota(account.home, f"echo {device(account.home)} 9 10 20 0 3 0 0 0")
        asked = {"module": "notebook_server_info", "environment": {"PATH": path}}
        found = account.finish(account.begin(**asked))
        assert (found["home_used"], found["home_limit"]) == (9 * KIB, 20 * KIB)
        assert (found["home_files"], found["home_files_limit"]) == (3, 0)
        assert "home_used" not in account.info()
    finally:
        account.clean_up()


GB = 1 << 30
PLENTY = {"home_used": 5 * GB, "home_limit": 50 * GB, "home_files": 7, "home_files_limit": 0}
TOLD = "Your quota at home: 5.0 of 50.0 GB are used"


def test_status_tells_it_once_and_says_when_little_is_left() -> None:
    assert table.homes({"dev1": PLENTY, "dev2": PLENTY, "dev3": {}}) == [TOLD]
    other = {**PLENTY, "home_used": 45 * GB, "home_files_limit": 9}
    first, second = table.homes({"dev1": PLENTY, "dev2": other})
    assert first == f"dev1: {TOLD}"
    assert second.startswith(
        "dev2: Your quota at home: 45.0 of 50.0 GB and 7 of 9 files are used: make room (`du"
    )
    files = {**PLENTY, "home_limit": 0, "home_files_limit": 8}
    assert "7 of 8 files are used: make room" in str(limits.home(files))


def doctors(tmp_path: Path, shell: list[str], body: str) -> Finding | None:
    """What the doctor finds where `quota` is this program."""
    environment = {"HOME": str(tmp_path), "PATH": with_quota(tmp_path, body)}
    answers = {}
    for name in ("home_device", "home_path", "quota"):
        argv = [*shell, "-c", ANSWERING + QUESTIONS[name]]
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
        answers[name] = done.stdout.splitlines()
    return node.quota(Seen(answers))


@pytest.mark.parametrize("shell", [["sh"], ["bash"], ["busybox", "sh"]])
@pytest.mark.parametrize(
    ("row", "percent"),
    [
        ("900 0 1000 0 1 0 0 0", "90 %"),  # only a hard limit
        ("900* 800 1000 7 1 0 0 0", "90 %"),
        ("1 0 1000 0 95 0 100 0", "95 %"),  # files are nearer to theirs
        ("500 1000 0 0 1 0 0 0", "50 %"),
        ("500 0 0 0 1 0 0 0", None),
    ],
)
def test_the_doctor_tells_the_share_that_is_used_at_home(
    tmp_path: Path, shell: list[str], row: str, percent: str | None
) -> None:
    body = f"echo {device(tmp_path)} {row}; echo elsewhere 9 1 1 0 9 1 1 0"
    finding = doctors(tmp_path, shell, body)
    assert (finding and finding.what) == (percent and f"{percent} are used")


def test_the_doctor_waits_for_no_file_server_that_is_down(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert doctors(tmp_path, ["sh"], "exec sleep 60") is None
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("shell", [["sh"], ["bash"], ["busybox", "sh"]])
def test_the_doctor_waits_for_nothing_that_quota_has_left_behind(
    tmp_path: Path, shell: list[str]
) -> None:
    begun = time.monotonic()
    row = f"{device(tmp_path)} 900 0 1000 0 1 0 0 0"
    finding = doctors(tmp_path, shell, f"setsid sleep 30 & echo {row}")
    assert finding
    assert finding.what == "90 % are used"
    assert time.monotonic() - begun < 20

"""Disks that are too small, full, read-only or run nothing: real file systems, in a namespace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils import host_shell
from one_task import command, environment
from test_conda_distribution import Account

pytest_plugins = ["test_conda_distribution"]
NAMESPACE = ["unshare", "--mount", "sh", "-c"]


def can_mount() -> bool:
    done = subprocess.run([*NAMESPACE, "mount -t tmpfs none /mnt"], capture_output=True)
    return done.returncode == 0


mounting = pytest.mark.skipif(not can_mount(), reason="mounting a file system needs root")


def mounted(account: Account, options: str, after: str = ":", **changes: Any) -> str:
    """Run the task with a home of its own file system; give its message, if any."""
    (account.directory / "ansible.cfg").touch()
    argv = command(account.directory, account.task(**changes))
    home = account.home
    script = f"mount -t tmpfs -o {options} none {home} && {after} || exit 99"
    script += f'; "$@"; ls -A {home} >{account.directory}/left'
    done = subprocess.run(
        [*NAMESPACE, script, "sh", *argv],
        env=environment(account.directory, account.environment),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 99, done.stderr
    result = json.loads((account.directory / "result.json").read_text())
    return str(result["msg"]) if result.get("failed") else ""


def nothing_was_made(account: Account) -> bool:
    return "anaconda" not in (account.directory / "left").read_text()


@mounting
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("size=10m", r"10\d\d\d KiB|not enough room"),
        ("size=4g,nr_inodes=400", "inodes"),
        ("size=4g,nr_inodes=70000,noexec", "noexec"),
    ],
)
def test_a_file_system_that_cannot_take_it_is_refused_before_anything_is_made(
    account: Account, options: str, words: str
) -> None:
    message = mounted(account, options)
    assert any(word in message for word in words.split("|")), message
    assert "anaconda_prefix" in message
    assert nothing_was_made(account)
    assert account.served.requests == []


@mounting
def test_a_read_only_home_is_refused(account: Account) -> None:
    home = account.home
    message = mounted(account, "size=4g", f"mount -o remount,ro {home}")
    assert "read-only" in message
    assert account.served.requests == []


@mounting
def test_a_noexec_tmp_does_not_matter(account: Account) -> None:
    after = "mkdir -p /mnt/t && mount -t tmpfs -o noexec none /var/tmp"
    account.environment["TMPDIR"] = "/var/tmp"
    assert mounted(account, "size=4g", after) == ""


def trial(directory: Path, **env: str) -> str:
    """The trial alone, in a directory, with other programs first on the path."""
    program = host_shell.program(
        ("common", *host_shell.PARTS["start"], "start"),
        {"PREFIX": f"{directory}/anaconda", "RUN": "r", "KIB": 2048, "INODES": 20, "WORKER": ""},
    )
    done = subprocess.run(
        ["sh", "-s"], input=program, env={**os.environ, **env}, capture_output=True, text=True
    )
    return done.stdout


def programs(directory: Path, **bodies: str) -> str:
    first = directory / "first"
    first.mkdir()
    for name, body in bodies.items():
        (first / name).write_text(f"#!/bin/sh\n{body}\n")
        (first / name).chmod(0o755)
    return f"{first}:{os.environ['PATH']}"


UNSUPPORTED = "echo 'fallocate: fallocate failed: Operation not supported' >&2; exit 1"
DEVICE = "$(df -P . | awk 'NR == 2 { print $1 }')"
QUOTAS = {
    "the kernel says so": (
        {"fallocate": "echo 'fallocate: fallocate failed: Disk quota exceeded' >&2; exit 1"},
        "quota is exhausted: 2 MiB and 20 inodes are needed",
    ),
    "only writing says so": (
        {"fallocate": UNSUPPORTED, "dd": "echo 'dd: Disk quota exceeded' >&2; exit 1"},
        "quota is exhausted",
    ),
    "only the quota program knows of blocks": (
        {"fallocate": UNSUPPORTED, "quota": f"echo {DEVICE} 900 0 1000 0 1 0 0 0"},
        "2 MiB and 20 inodes are needed for the whole, 0 MiB and",
    ),
    "only the quota program knows of files": (
        {"quota": f"echo {DEVICE} 1 0 0 0 95 0 100 0"},
        "not enough inodes: 2 MiB and 20 inodes are needed for the whole, ",
    ),
}


@pytest.mark.parametrize("how", QUOTAS)
def test_a_quota_that_df_does_not_show_is_found_and_named(tmp_path: Path, how: str) -> None:
    bodies, words = QUOTAS[how]
    home = tmp_path / "home"
    home.mkdir()
    assert words in trial(home, PATH=programs(tmp_path, **bodies))
    assert list(home.iterdir()) == []


def test_the_trial_leaves_nothing_and_tries_the_real_amount(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    log = tmp_path / "asked"
    real = shutil.which("fallocate")
    path = programs(tmp_path, fallocate=f'echo "$@" >{log}; exec {real} "$@"')
    assert "error" not in trial(home, PATH=path)
    assert log.read_text().startswith(f"-l {2048 * 1024 + 4096} ")
    assert [path.name for path in home.iterdir()] == ["anaconda.d"]

"""Disks that are too small, full, read-only or run nothing: real file systems where they can be."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import installers
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from file_systems import FileSystem, btrfs_with_quota, mounted, tmpfs
from full_disks import GENEROUS, MODEST, Sweep
from one_task import TaskFailed
from test_conda_distribution import Account
from test_conda_distribution_states import upgraded

pytest_plugins = ["test_conda_distribution"]


def refused(account: Account, disk: FileSystem, words: str) -> None:
    """Before anything is made, with these words, and nothing is asked of the mirror."""
    account.behind = disk.behind
    with pytest.raises(TaskFailed, match=words):
        account.run()
    assert disk.shell(f"ls -A {account.home}") == ""
    assert account.served.requests == []


@pytest.mark.fault("F15 full before the start", "F20 read-only home", "F23 noexec home")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("size=10m", "not enough room: 2048 MiB are needed, 10 MiB are free.*anaconda_prefix"),
        ("size=4g,nr_inodes=400", r"not enough inodes: 60000 are needed, 3\d\d are free"),
        ("size=4g,nr_inodes=70000,noexec", "runs no programs.*noexec.*anaconda_prefix"),
        ("size=4g,nr_inodes=70000,ro", "read-only"),
    ],
)
def test_a_file_system_that_cannot_take_it_is_refused_before_anything_is_made(
    account: Account, options: str, words: str
) -> None:
    with tmpfs(account.home, options) as disk:
        refused(account, disk, words)


@pytest.mark.fault("F19 quota")
def test_a_quota_of_the_kernel_is_found_before_anything_is_made(
    account: Account, tmp_path: Path
) -> None:
    with btrfs_with_quota(account.home, tmp_path / "image", "1G") as disk:
        refused(account, disk, "the quota is exhausted: 2048 MiB and 60000 inodes are needed")


@pytest.mark.fault("F19 in the middle")
def test_a_quota_that_is_exhausted_in_the_middle_is_named(account: Account, tmp_path: Path) -> None:
    modest = mock.patch.dict(installers.DISTRIBUTIONS, miniforge=MODEST)
    with modest, btrfs_with_quota(account.home, tmp_path / "image", "60M") as disk:
        account.behind = disk.behind
        first = account.run()
        greedy = "dd if=/dev/zero of=$prefix/big bs=1M count=80 || exit 1\n"
        with pytest.raises(TaskFailed, match=r"the quota is exhausted: .*exit code 1"):
            upgraded(account, before_the_end=greedy)
        assert account.run()["generation"] == first["generation"]
        assert disk.shell(f"find {account.prefix}.d -path '*/trash/*'") == ""
        assert upgraded(account, 3)["changed"] is True


@pytest.mark.fault("F22 noexec TMPDIR")
def test_a_noexec_tmp_does_not_matter(account: Account) -> None:
    account.environment["TMPDIR"] = "/var/tmp"
    with mounted(account.home, "mount -t tmpfs -o noexec none /var/tmp") as disk:
        account.behind = disk.behind
        assert account.run()["changed"] is True


@pytest.mark.fault("F16 full in the middle", "F18 inodes")
@pytest.mark.timeout(600)
def test_a_disk_that_fills_in_the_middle_damages_nothing(account: Account) -> None:
    with tmpfs(account.home, GENEROUS) as disk:
        sweep = Sweep(account, disk)
        sweep.run("KiB", [100, 1500])
        sweep.run("inodes", [20, 100])
    assert (sweep.outcome.faults, sweep.outcome.unusable) == ([], 0)
    assert sweep.words == {"not enough room": 2, "not enough inodes": 2}


@pytest.mark.fault("F24 chmod ignored")
def test_a_file_system_without_private_directories_is_refused(account: Account) -> None:
    chmod, mkdir = 'exec /usr/bin/chmod 777 "$2"', 'exec /usr/bin/mkdir -m 777 "$@"'
    path = programs(account.directory, chmod=chmod, mkdir=mkdir)
    with pytest.raises(TaskFailed, match="no private directories"):
        account.run(env={"PATH": path})
    assert account.everything() == []


@pytest.mark.fault("F31 setgid, ACL")
@pytest.mark.parametrize("how", ["setgid", "default ACL"])
def test_what_a_directory_above_gives_to_a_group_does_not_reach_what_is_private(
    account: Account, how: str
) -> None:
    if how == "setgid":
        account.home.chmod(0o2775)
    elif shutil.which("setfacl"):
        subprocess.run(
            ["setfacl", "-m", "d:g::rwx,d:o::rwx,d:u:65534:rwx", account.home], check=True
        )
    else:
        pytest.skip("setfacl is not installed")
    account.run()
    for name in ("work", "downloads", "logs"):
        assert Path(f"{account.prefix}.d/{name}").stat().st_mode & 0o777 == 0o700


@pytest.mark.fault("F26 EBUSY")
def test_trash_that_cannot_be_removed_yet_is_reported_and_no_fault(account: Account) -> None:
    account.run()
    used = f"{account.prefix}.d/trash/discarded-by-hpcc-notebook/used"
    with mounted(account.home, f"mkdir -p {used}; mount -t tmpfs none {used}") as disk:
        account.behind = disk.behind
        assert upgraded(account)["changed"] is True
    logs = "".join(path.read_text() for path in Path(f"{account.prefix}.d/logs").iterdir())
    assert "still in use; a later upgrade removes it" in logs
    account.behind = []
    upgraded(account, 3)
    assert not Path(used).exists()


def test_what_removes_the_trash_may_be_killed(account: Account) -> None:
    account.run()
    killed, first = account.directory / "killed", account.directory / "first"
    first.mkdir()
    (first / "rm").write_text(
        "#!/bin/sh\n"
        "for last; do :; done\n"
        f"case $last in *discarded-by*) [ ! -d $last ] || [ -e {killed} ] ||\n"
        f"  {{ touch {killed}; kill -9 $$; }} ;; esac\n"
        'exec /bin/rm "$@"\n'
    )
    (first / "rm").chmod(0o755)
    account.environment["PATH"] = f"{first}:{os.environ['PATH']}"
    for number in (2, 3, 4):
        if not killed.exists():
            upgraded(account, number)
    assert killed.exists()
    assert list(Path(f"{account.prefix}.d/trash").iterdir()) == []


def trial(directory: Path, **env: str) -> str:
    """The trial alone, in a directory, with other programs first on the path."""
    settings = {"RUN": "r", "KIB": 2048, "INODES": 20, "WORKER": ""}
    program = host_shell.small("start", {"PREFIX": f"{directory}/anaconda", **settings}).program
    done = subprocess.run(
        ["sh", "-s"],
        cwd=directory,
        input=program,
        env={**os.environ, **env},
        check=False,
        capture_output=True,
        text=True,
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


LINGERING = {
    "it does not end": "trap '' TERM; {said}; sleep {seconds} & wait; wait",
    "what it has started does not end": "setsid sleep {seconds} & {said}",
}


@pytest.mark.parametrize("how", LINGERING)
def test_a_quota_program_that_keeps_its_readers_waiting_is_heard(tmp_path: Path, how: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    said, seconds = f"echo {DEVICE} 1 0 0 0 95 0 100 0", 30
    body = LINGERING[how].format(said=said, seconds=seconds)
    begun = time.monotonic()
    assert "not enough inodes: " in trial(home, PATH=programs(tmp_path, quota=body))
    assert time.monotonic() - begun < 2 * seconds  # it is asked five times


def test_room_that_others_take_only_to_try_is_waited_for(account: Account) -> None:
    needed = 2048 + 300  # MiB: what the distribution needs, and a little
    with tmpfs(account.home, f"size={needed}M") as disk:
        script = f"cd {account.home} && mkdir .hpcc-trial-x && exec 9>.hpcc-trial-x/space &&"
        script += "rm .hpcc-trial-x/space && fallocate -l 500M /proc/self/fd/9 && echo ready &&"
        script += "sleep 3; exec 9>&-; rmdir .hpcc-trial-x"
        other = subprocess.Popen([*disk.behind, "sh", "-c", script], stdout=subprocess.PIPE)
        assert other.stdout
        assert other.stdout.readline() == b"ready\n"
        account.behind = disk.behind
        assert account.run()["changed"] is True
        assert other.wait() == 0


def test_room_that_was_given_back_meanwhile_is_tried_once_more(tmp_path: Path) -> None:
    home, asked = tmp_path / "home", tmp_path / "asked"
    home.mkdir()
    full = f"[ -e {asked} ] && exit 0; touch {asked}; echo 'No space left on device' >&2; exit 1"
    assert "error" not in trial(home, PATH=programs(tmp_path, fallocate=full))


def test_the_trial_leaves_nothing_and_tries_the_real_amount(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    log = tmp_path / "asked"
    real = shutil.which("fallocate")
    path = programs(tmp_path, fallocate=f'echo "$@" >{log}; exec {real} "$@"')
    assert "error" not in trial(home, PATH=path)
    assert log.read_text().startswith(f"-l {2048 * 1024 + 4096} ")
    assert [path.name for path in home.iterdir()] == ["anaconda.d"]

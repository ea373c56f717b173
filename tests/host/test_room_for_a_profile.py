"""A home without room for a profile: said before anything is made, in a check run, too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.profile_resource import NEED
from file_systems import FileSystem, btrfs_with_quota, tmpfs
from servers import RUNNER


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


def made(home: Path, disk: FileSystem, *, check: bool = False) -> dict[str, object]:
    """What the module answers that makes a profile, on this disk."""
    asked = {"module": "ipython_profile", "check": check}
    argv = [*disk.behind, "env", f"HOME={home}", sys.executable, "-c", RUNNER]
    done = subprocess.run(
        argv, input=json.dumps(asked), capture_output=True, text=True, check=True, cwd="/"
    )
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def left(home: Path, disk: FileSystem) -> str:
    return disk.shell(f"find {home} -mindepth 1")


@pytest.mark.fault("F15 full before the start", "F18 inodes")
@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("size=512k", "not enough room: 1 MiB are needed, 512 KiB are free, for a profile"),
        ("size=9m,nr_inodes=40", "not enough inodes: 64 are needed, 39 are free, for a profile"),
    ],
)
def test_a_disk_that_cannot_take_it_is_refused_before_anything_is_made(
    home: Path, options: str, words: str, check: bool
) -> None:
    with tmpfs(home, f"mode=755,{options}") as disk:
        answer = made(home, disk, check=check)
        assert answer.get("failed"), answer
        assert f"{home}: {words}" in str(answer["msg"])
        assert left(home, disk) == ""


@pytest.mark.fault("F19 quota")
def test_a_quota_that_the_disk_does_not_show_is_found_before_anything_is_made(
    home: Path, tmp_path: Path
) -> None:
    with btrfs_with_quota(home, tmp_path / "image", "800K") as disk:
        assert made(home, disk, check=True)["changed"] is True
        answer = made(home, disk)
        assert "the quota is exhausted: 1 MiB and 64 inodes are needed" in str(answer["msg"])
        assert left(home, disk) == ""


def test_it_fits_where_there_is_just_room_and_nothing_of_the_trial_stays(home: Path) -> None:
    with tmpfs(home, f"mode=755,size={NEED.mib * 1024 + 8}k,nr_inodes={NEED.inodes + 4}") as disk:
        assert made(home, disk)["changed"] is True
        names = left(home, disk)
        assert "profile_nbserver/jupyter_server_config.py" in names
        assert "trial" not in names
        kib, inodes = disk.used()
        # With a password, a certificate and what a server writes it has to fit, too.
        assert kib < NEED.mib * 1024 * 0.5
        assert inodes < NEED.inodes * 0.8
        disk.remount("size=9m,nr_inodes=999")
        disk.shell(f"head -c 8500000 /dev/zero >{home}/data")
        assert made(home, disk)["changed"] is False, "one that is there is left alone"

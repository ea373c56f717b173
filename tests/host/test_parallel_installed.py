"""Role `parallel` of an installed collection finds the package that the collection carries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from small_distribution import wheel
from test_conda_distribution import Account

pytest_plugins = ["test_conda_distribution", "test_collection"]
pytestmark = pytest.mark.timeout(400)
PLAY = [
    {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "roles": [{"role": "hpcc.notebook.parallel"}],
    }
]


def test_the_archive_carries_the_package_and_not_its_tests(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        names = opened.getnames()
    assert "packages/cluster_helper/pyproject.toml" in names
    assert "packages/cluster_helper/cluster_helper/schedulers/slurm.py" in names
    assert not [name for name in names if name.startswith("packages/cluster_helper/tests")]
    assert not [name for name in names if "/." in name and name.startswith("packages")]


def test_the_role_installs_it(account: Account, home: Path, tmp_path: Path) -> None:
    wheel(account.served.root, "ipyparallel", "9.2.0")
    made = account.run(packages=["ipyparallel>=9,<10"])
    (tmp_path / "play.yml").write_text(json.dumps(PLAY))
    command = ["ansible-playbook", "-i", "localhost,", "play.yml", "-e", "parallel_queue=main",
               "-e", f"parallel_prefix={account.prefix}"]  # fmt: skip
    known = {"HOME": str(account.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
             "ANSIBLE_COLLECTIONS_PATH": f"{home}/.ansible/collections"}  # fmt: skip
    done = subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=tmp_path, env=known, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    program = "import cluster_helper, cluster_helper.site as s; print(s.load().queue, s.__file__)"
    said = subprocess.check_output([made["python"], "-I", "-c", program], text=True)
    assert said.startswith("main ")
    assert str(account.prefix) in said

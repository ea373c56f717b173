"""What docs/installation.md says of a person's own work at an upgrade, with a real Python.

`anaconda` leads to one generation and then to the other. Both are the Python of these tests, as
after an upgrade that keeps the minor version.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path):
    """A home whose installation has the generations `one`, which is live, and `two`."""
    for generation in ("one", "two"):
        (tmp_path / generation).symlink_to(sys.base_prefix)
    (tmp_path / "anaconda").symlink_to("one")
    return tmp_path


def upgrade(home: Path) -> None:
    """What is live changes, and what was live is gone."""
    (home / "anaconda").unlink()
    (home / "anaconda").symlink_to("two")
    (home / "one").unlink()


def said(home: Path, *argv: str | Path) -> str:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_a_virtual_environment_uses_whatever_is_live(home):
    said(home, home / "anaconda/bin/python3", "-m", "venv", "--without-pip", home / "mine")
    upgrade(home)
    shown = said(home, home / "mine/bin/python", "-c", "import sys; print(sys.base_prefix)")
    assert shown == str(home / "anaconda")


def test_one_that_was_made_by_a_generation_needs_its_link(home):
    said(home, home / "one/bin/python3", "-m", "venv", "--without-pip", home / "mine")
    upgrade(home)
    assert not (home / "mine/bin/python").exists()
    (home / "one").symlink_to("anaconda")  # what pruning leaves
    assert said(home, home / "mine/bin/python", "-c", "print(6 * 7)") == "42"


def test_what_pip_put_into_the_home_outlives_an_upgrade_and_the_server_never_sees_it(home):
    python = home / "anaconda/bin/python3"
    site = Path(said(home, python, "-c", "import site; print(site.getusersitepackages())"))
    assert site == home / ".local/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / (
        "site-packages"
    )
    site.mkdir(parents=True)
    (site / "planted.py").write_text("print('imported')\n")
    upgrade(home)
    assert said(home, python, "-c", "import planted") == "imported"
    isolated = subprocess.run(
        [python, "-I", "-c", "import planted"], env={"HOME": str(home)}, stderr=subprocess.PIPE,
        text=True, check=False,
    )  # fmt: skip
    assert "No module named 'planted'" in isolated.stderr


def test_a_kernel_that_was_registered_by_the_stable_path_names_it(home):
    (home / "anaconda").unlink()
    (home / "anaconda").symlink_to(sys.prefix)
    argv = ("-m", "ipykernel", "install", "--user", "--name=mine")
    said(home, home / "anaconda/bin/python", *argv)
    made = home / ".local/share/jupyter/kernels/mine/kernel.json"
    assert json.loads(made.read_text())["argv"][0] == str(home / "anaconda/bin/python")

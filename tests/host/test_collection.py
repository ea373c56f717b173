"""The collection as people get it: built, installed, and found without setting a path."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from ansible.release import __version__ as ansible_version
from packaging.specifiers import SpecifierSet

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PLAYBOOKS = sorted(path.stem for path in (CHECKOUT / "playbooks").glob("*.yml"))


def run(*command: str, cwd: Path, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("built")
    run("ansible-galaxy", "collection", "build", "--output-path", str(target), cwd=CHECKOUT)
    return next(target.glob("hpcc-notebook-*.tar.gz"))


@pytest.fixture(scope="module")
def home(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a person who has installed the collection and set nothing."""
    home = tmp_path_factory.mktemp("home")
    run("ansible-galaxy", "collection", "install", str(archive), cwd=home, HOME=str(home))
    (home / "my.ini").write_text((CHECKOUT / "hpcc.ini").read_text())
    return home


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_an_installed_playbook_runs_by_its_full_name(home: Path, name: str) -> None:
    command = ["ansible-playbook", f"hpcc.notebook.{name}", "-i", "my.ini", "--list-tasks"]
    listing = run(*command, cwd=home, HOME=str(home))
    assert f"{home}/.ansible/collections/ansible_collections/hpcc/notebook/playbooks" in listing


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_playbook_of_the_checkout_runs_from_any_directory(tmp_path: Path, name: str) -> None:
    path = str(CHECKOUT / "playbooks" / f"{name}.yml")
    inventory = str(CHECKOUT / "hpcc.ini")
    command = ["ansible-playbook", path, "-i", inventory, "--list-tasks"]
    assert "TAGS" in run(*command, cwd=tmp_path, HOME=str(tmp_path))


def test_the_archive_holds_what_people_use_and_nothing_of_the_workshop(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        tops = {name.split("/")[0] for name in opened.getnames()}
    assert {"plugins", "roles", "packages", "playbooks", "meta", "README.md", "LICENSE"} <= tops
    assert "hpcc.ini" in tops
    assert not tops & {"tests", "molecule", ".venv", ".cluster", ".cache", ".git", "Makefile"}
    assert not tops & {"bindep.txt", "ansible.cfg", "pyproject.toml"}


def test_the_archive_holds_what_its_execution_environment_names(archive: Path) -> None:
    definition = yaml.safe_load((CHECKOUT / "meta" / "execution-environment.yml").read_text())
    with tarfile.open(archive) as opened:
        assert set(definition["dependencies"].values()) <= set(opened.getnames())


def test_the_collection_is_installed_from_a_git_address(tmp_path: Path) -> None:
    address = f"git+file://{CHECKOUT}"
    environment = {"HOME": str(tmp_path), "ANSIBLE_HOME": str(tmp_path / ".ansible")}
    run("ansible-galaxy", "collection", "install", address, cwd=tmp_path, **environment)
    installed = tmp_path / ".ansible/collections/ansible_collections/hpcc/notebook"
    assert (installed / "hpcc.ini").is_file()


def test_every_ansible_from_the_floor_on_may_install_the_collection() -> None:
    """An upper bound makes ansible-galaxy refuse the installation with the next release."""
    stated = SpecifierSet(
        yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    )
    assert "2.18.99" not in stated
    assert all(version in stated for version in (ansible_version, "2.20.0", "2.21.5", "3.0.0"))

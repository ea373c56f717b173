"""The module python_package: a real package, a real pip, an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_bytes, message_from_string
from io import BytesIO
from pathlib import Path

import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.module_utils import _wheel as wheel
from ansible_collections.hpcc.notebook.plugins.modules import python_package
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.python_source import read_package
from modules import ModuleFailed, four_beats, run_module
from packaging.requirements import Requirement

SOURCE = Path(__file__).parents[2] / "packages" / "cluster_helper"
ROLES = Path(__file__).parents[2] / "roles"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    path = tmp_path_factory.mktemp("distribution")
    subprocess.run([sys.executable, "-m", "venv", str(path)], check=True)
    return path


@pytest.fixture
def python(environment, monkeypatch):
    """The module believes that the environment's Python runs it."""
    python = environment / "bin" / "python"
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    place = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: place)
    monkeypatch.setattr(sys, "executable", str(python))
    return python


def arguments(**changed):
    return {"src": str(SOURCE), **read_package(SOURCE), **changed}


def asked(python, *words):
    done = subprocess.run([str(python), *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_four_beats_and_pip_knows_it(python):
    beats = four_beats(python_package, **arguments())
    assert beats[1]["reason"] == "not installed"
    assert beats[3]["diff"] == []
    assert "Version: 0.1.0" in asked(python, "-m", "pip", "show", "hpcc-cluster-helper")
    assert "ipyparallel" in asked(python, "-m", "pip", "check")


def test_nothing_of_the_working_directory_is_run(python, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pip.py").write_text("open('ran', 'w').close(); raise SystemExit(1)")
    asked(python, "-m", "pip")
    assert (tmp_path / "ran").exists(), "not even a careless Python runs it: this shows nothing"
    (tmp_path / "ran").unlink()
    run_module(python_package, **arguments(version="0.1.1"))
    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("python")
def test_one_changed_file_is_a_reason_and_is_repaired():
    run_module(python_package, **arguments())
    place = Path(sysconfig.get_path("purelib")) / "cluster_helper" / "units.py"
    place.write_text("broken", encoding="utf-8")
    beats = four_beats(python_package, **arguments())
    assert beats[0]["reason"] == "cluster_helper/units.py is different"
    assert "broken" not in place.read_text(encoding="utf-8")


def test_a_file_that_a_new_version_lacks_is_gone(python):
    files = {**arguments()["files"], "cluster_helper/old.py": ""}
    run_module(python_package, **arguments(files=files, version="0.0.9"))
    result = run_module(python_package, **arguments())
    assert result["changed"]
    assert "ModuleNotFoundError" in asked(python, "-c", "import cluster_helper.old")


@pytest.mark.usefixtures("python")
def test_what_it_needs_is_named_when_it_is_not_there():
    with pytest.raises(ModuleFailed, match="needs no_such_thing>=2, which is not installed"):
        run_module(python_package, **arguments(version="9", requires=["no_such_thing>=2"]))


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize("bounds", [">=1,<2", ">=99"])
def test_another_version_than_it_needs_is_refused(bounds):
    words = rf"needs ipyparallel{bounds}, 9\.[0-9.]+ is installed"
    with pytest.raises(ModuleFailed, match=words):
        run_module(python_package, **arguments(version="9", requires=[f"ipyparallel{bounds}"]))


def test_role_anaconda_installs_what_the_package_needs():
    defaults = yaml.safe_load((ROLES / "anaconda" / "defaults" / "main.yml").read_text())
    assert set(read_package(SOURCE)["requires"]) <= set(defaults["anaconda_packages"])


@pytest.mark.usefixtures("python")
def test_a_failure_of_pip_is_told_in_its_own_words():
    with pytest.raises(ModuleFailed, match="pip cannot install hpcc-cluster-helper: "):
        run_module(python_package, **arguments(version="not a version"))


def test_the_same_files_are_the_same_bytes():
    package = wheel.Package("a-b", "1", {"a/__init__.py": "x = 1\n"})
    assert wheel.build(package) == wheel.build(package)
    names = zipfile.ZipFile(BytesIO(wheel.build(package))).namelist()
    assert names == ["a/__init__.py", "a_b-1.dist-info/METADATA", "a_b-1.dist-info/WHEEL",
                     "a_b-1.dist-info/RECORD"]  # fmt: skip


def test_the_standard_backend_builds_the_same_package(tmp_path):
    """Ours needs neither a network nor a backend on the node; anybody else's pip uses theirs."""
    source = tmp_path / "source"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
    command = ["-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(source)]
    subprocess.run([sys.executable, *command], check=True)
    (built,) = tmp_path.glob("*.whl")
    given = read_package(SOURCE)
    package = wheel.Package(given["name"], given["version"], given["files"], given["requires"])
    assert built.name == package.wheel_name
    files = zipfile.ZipFile(built)
    names = [name for name in files.namelist() if ".dist-info/" not in name]
    assert {name: files.read(name).decode() for name in names} == given["files"]
    theirs = message_from_bytes(files.read(f"{package.info}/METADATA"))
    ours = message_from_string(package.metadata())
    for field in ("Name", "Version"):
        assert theirs[field] == ours[field]
    needs = [{*map(Requirement, said.get_all("Requires-Dist"))} for said in (theirs, ours)]
    assert needs[0] == needs[1]


def test_a_directory_without_a_package_is_refused(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="does not state its __version__"):
        read_package(tmp_path)

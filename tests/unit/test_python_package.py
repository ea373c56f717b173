"""The module python_package: a real package, a real pip, an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils import wheel
from ansible_collections.hpcc.notebook.plugins.modules import python_package
from ansible_collections.hpcc.notebook.plugins.plugin_utils.python_source import read_package
from modules import ModuleFailed, four_beats, run_module

SOURCE = Path(__file__).parents[2] / "packages" / "cluster_helper"


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
def test_a_failure_of_pip_is_told_in_its_own_words():
    with pytest.raises(ModuleFailed, match="pip cannot install hpcc-cluster-helper: "):
        run_module(python_package, **arguments(version="not a version"))


def test_the_same_files_are_the_same_bytes():
    package = wheel.Package("a-b", "1", {"a/__init__.py": "x = 1\n"})
    assert wheel.build(package) == wheel.build(package)
    names = zipfile.ZipFile(BytesIO(wheel.build(package))).namelist()
    assert names == ["a/__init__.py", "a_b-1.dist-info/METADATA", "a_b-1.dist-info/WHEEL",
                     "a_b-1.dist-info/RECORD"]  # fmt: skip


def test_a_directory_without_a_package_is_refused(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="does not state its __version__"):
        read_package(tmp_path)

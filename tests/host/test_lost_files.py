"""Missing files, by the records of pip and conda, and never by a guess."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import lost_files

PROGRAM = Path(lost_files.__file__).read_text(encoding="utf-8")
SITE = "lib/python3.13/site-packages"


def answers(prefix: Path, *names: str, before: str = "", known: str = "/dev/null") -> list[str]:
    """What a node's Python says, alone and without its own site-packages."""
    words = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        PROGRAM.replace("import sys\n", f"import sys\n{before}\n", 1),
        str(prefix),
        known,
        *names,
    ]
    return subprocess.check_output(words, text=True).splitlines()


def touch(prefix: Path, *paths: str) -> None:
    for path in paths:
        (prefix / path).parent.mkdir(parents=True, exist_ok=True)
        (prefix / path).write_text("x")


def package(prefix: Path, name: str, *, installer: str, needs: str = "") -> None:
    """A package with a module and its metadata."""
    info = f"{SITE}/{name}-1.0.dist-info"
    touch(prefix, f"{SITE}/{name}.py", f"{info}/METADATA")
    (prefix / info / "INSTALLER").write_text(f"{installer}\n")
    (prefix / info / "METADATA").write_text(f"Name: {name}\nRequires-Dist: {needs} >=1\n\ntext")
    record = f"{name}.py,sha256=x,1\n__pycache__/{name}.pyc,,\n../../../bin/{name},,\n"
    (prefix / info / "RECORD").write_text(record)
    touch(prefix, f"bin/{name}")


def linked(prefix: Path, name: str, *files: str) -> None:
    """conda's record of a package."""
    touch(prefix, *files)
    record = prefix / f"conda-meta/{name}-1.0-py313_0.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps({"files": files}))


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    package(tmp_path, "top", installer="pip", needs="needed")
    package(tmp_path, "needed", installer="pip")
    package(tmp_path, "other", installer="pip")
    return tmp_path


def test_nothing_is_missing_of_what_is_whole(prefix: Path) -> None:
    assert answers(prefix, "top") == []


@pytest.mark.parametrize("lost", [f"{SITE}/needed.py", "bin/needed"])
def test_what_is_needed_is_looked_at(prefix: Path, lost: str) -> None:
    (prefix / lost).unlink()
    said = f"lost=name=needed version=1.0 conda=- files=1 path={lost}"
    assert answers(prefix, "Top") == [said]
    assert answers(prefix, "other") == []


def test_a_record_that_pip_did_not_come_to_write_is_missing(prefix: Path) -> None:
    (prefix / f"{SITE}/top-1.0.dist-info/RECORD").unlink()
    assert "files=1" in answers(prefix, "top")[0]


def test_what_was_never_there_is_not_missing(prefix: Path, tmp_path: Path) -> None:
    (prefix / "bin/top").unlink()
    known = tmp_path / "known"
    known.write_text(f"{prefix}/bin/top\n")
    assert answers(prefix, "top", known=str(known)) == []


def test_of_a_package_from_conda_its_own_record_counts(prefix: Path) -> None:
    package(prefix, "ours", installer="conda")
    (prefix / "bin/ours").unlink()  # RECORD names it, conda did not link it
    linked(prefix, "ours", f"{SITE}/ours.py", "lib/libours.so")
    assert answers(prefix, "ours") == []
    (prefix / "lib/libours.so").unlink()
    assert answers(prefix, "ours") == [
        "lost=name=ours version=1.0 conda=ours files=1 path=lib/libours.so"
    ]


def test_what_pip_has_replaced_is_not_measured_by_the_record_of_conda(prefix: Path) -> None:
    linked(prefix, "top", f"{SITE}/top/old.py")
    (prefix / f"{SITE}/top/old.py").unlink()
    assert answers(prefix, "top") == []


def test_an_emptied_file_is_as_good_as_none(prefix: Path) -> None:
    (prefix / f"{SITE}/needed.py").write_text("")
    assert answers(prefix, "top") == [
        f"lost=name=needed version=1.0 conda=- files=1 path={SITE}/needed.py"
    ]


def test_what_was_empty_from_the_beginning_is_whole(prefix: Path) -> None:
    record = prefix / f"{SITE}/top-1.0.dist-info/RECORD"
    record.write_text("top.py,sha256=x,0\nnoted/without_a_size.py,,\n")
    touch(prefix, f"{SITE}/noted/without_a_size.py")
    (prefix / f"{SITE}/top.py").write_text("")
    assert answers(prefix, "top") == []


@pytest.mark.parametrize(("name", "said"), [("top.so", 1), ("top.py", 0)])
def test_a_library_is_cut_off_where_a_text_may_be_somebodys_own(
    prefix: Path, name: str, said: int
) -> None:
    touch(prefix, f"{SITE}/{name}")
    (prefix / f"{SITE}/top-1.0.dist-info/RECORD").write_text(f"{name},sha256=x,2\n")
    assert len(answers(prefix, "top")) == said


def test_what_conda_linked_is_measured_by_its_own_sizes(prefix: Path) -> None:
    package(prefix, "ours", installer="conda")
    linked(prefix, "ours", "lib/libours.so", "bin/ours", "lib/mark")
    record = prefix / "conda-meta/ours-1.0-py313_0.json"
    noted = json.loads(record.read_text())
    sizes = {"lib/libours.so": 1, "bin/ours": 9, "lib/mark": 0}
    noted["paths_data"] = {
        "paths": [{"_path": path, "size_in_bytes": n} for path, n in sizes.items()]
    }
    noted["paths_data"]["paths"][1]["prefix_placeholder"] = "/a/long/path"
    record.write_text(json.dumps(noted))
    assert answers(prefix, "ours") == []
    for path in ("lib/libours.so", "bin/ours", "lib/mark"):
        (prefix / path).write_text("")
    assert "files=2" in answers(prefix, "ours")[0]


def test_a_python_that_lost_files_is_damaged(prefix: Path) -> None:
    linked(prefix, "python", "lib/python3.13/ssl.py", "lib/python3.13/__pycache__/ssl.pyc")
    assert answers(prefix, "top") == []
    (prefix / "lib/python3.13/ssl.py").unlink()
    assert answers(prefix, "top")[0].startswith("damaged=name=python")


def test_a_python_without_its_own_library_is_damaged(prefix: Path) -> None:
    (said,) = answers(prefix, "top", before="import sys; sys.modules['csv'] = None")
    assert said.startswith("damaged=name=python")
    assert said.endswith("path=csv")

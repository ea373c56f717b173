"""The picture of the rooms is true, and what docs/architecture.md points at is there."""

from __future__ import annotations

import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "tests"))

import picture  # noqa: E402

ROW = re.compile(r"^\| (.+?) \| \[.+?\]\(\.\./(.+?)\) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall((CHECKOUT / "docs" / "architecture.md").read_text("utf-8"))


def test_no_arrow_points_upwards_without_a_reason():
    assert picture.upwards(picture.arrows()).keys() == picture.EXCEPTIONS.keys()


def test_an_arrow_upwards_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    upwards = f"from {picture.COLLECTION}module_utils._validation import variables\n"
    for name, text in {
        "module_utils/_ssh/hops.py": upwards,
        "module_utils/_validation/variables.py": "",
    }.items():
        path = tmp_path / "plugins" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(picture, "CHECKOUT", tmp_path)
    assert list(picture.upwards(picture.arrows())) == [
        ("module_utils/_ssh", "module_utils/_validation")
    ]


def test_no_file_knows_itself_by_a_detour():
    graph: dict[str, set[str]] = {}
    for path in sorted((CHECKOUT / "plugins").rglob("*.py")):
        name = str(path.relative_to(CHECKOUT / "plugins"))
        graph[name] = {found for found in picture._imports(path) if found != name}
    assert list(TopologicalSorter(graph).static_order())  # CycleError names the files


def test_whatever_is_internal_says_so_by_its_name():
    for kind in ("module_utils", "plugin_utils"):
        found = [path.name for path in (CHECKOUT / "plugins" / kind).iterdir()]
        assert not [name for name in found if not name.startswith("_")]


def test_every_file_has_a_room():
    names = (p.relative_to(CHECKOUT / "plugins") for p in (CHECKOUT / "plugins").rglob("*.py"))
    found = [str(name) for name in names if not picture._room(str(name))]
    assert {name.split("/")[0] for name in found} <= {"doc_fragments"}


@pytest.mark.parametrize(("what", "file", "names"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_looked_for_is_in_that_file(what: str, file: str, names: str):
    text = (CHECKOUT / file).read_text("utf-8")
    for name in re.findall(r"`(\w+)`", names):
        assert re.search(rf"^(def |class )?{name}\b", text, re.MULTILINE), f"{what}: {name}"


def test_the_five_things_that_people_look_for_first_are_listed():
    listed = " ".join(row[0] for row in ROWS)
    for words in ("check of the doctor", "printed tunnel", "job script", "checksum", "hash stands"):
        assert words in listed


def test_the_question_for_what_is_in_a_file_can_fail():
    with pytest.raises(AssertionError):
        test_what_is_looked_for_is_in_that_file("x", "tests/picture.py", "`no_such_name`")

"""The extension that shows how long a job goes on: what is carried, and what it is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    layout,
    time_left,
    time_left_built,
)

sys.path.insert(0, str(Path(__file__).parents[1]))

import extension


def test_what_is_carried_was_built_from_the_source_that_lies_beside_it() -> None:
    assert extension.digest() == time_left_built.SOURCE_SHA256, "make extension"


def test_any_change_of_the_source_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in extension.sources():
        copy = tmp_path / source.relative_to(extension.SOURCE)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(source.read_bytes())
    monkeypatch.setattr(extension, "SOURCE", tmp_path)
    assert extension.digest() == time_left_built.SOURCE_SHA256
    (tmp_path / "README.md").write_text("said otherwise")
    assert extension.digest() == time_left_built.SOURCE_SHA256
    for name in ("package-lock.json", "src/index.ts"):
        before = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(before + b" ")
        assert extension.digest() != time_left_built.SOURCE_SHA256, name
        (tmp_path / name).write_bytes(before)
    (tmp_path / "src" / "more.ts").write_text("")
    assert extension.digest() != time_left_built.SOURCE_SHA256


def test_it_is_small_and_its_entry_is_the_one_that_jupyter_is_told_of() -> None:
    assert sum(map(len, time_left.FILES.values())) < 15_000
    package = json.loads(time_left.FILES[time_left.PACKAGE])
    entry = package["jupyterlab"]["_build"]["load"]
    assert f"{time_left.DIRECTORIES[1]}/{entry}" in time_left.FILES
    source = json.loads((extension.SOURCE / "package.json").read_text())
    assert (package["name"], package["version"]) == (source["name"], source["version"])
    assert set(time_left.FILES) <= set(layout.FILES), "teardown takes it away"


@pytest.mark.parametrize(
    ("walltime", "warnings"),
    [(28800, [900, 300]), (3600, [900, 300]), (1200, [300, 150]), (180, [45, 22])],
)
def test_a_short_job_warns_later(walltime: int, warnings: list[int]) -> None:
    told = json.loads(time_left.announced(1.5, walltime))
    assert told["at"] == 1.5
    assert told["warnings"] == warnings

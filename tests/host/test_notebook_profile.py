"""The module notebook_profile: what three modules do, decided together, in one execution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.action import notebook_profile as action
from ansible_collections.hpcc.notebook.plugins.modules import (
    ipython_profile,
    notebook_certificate,
    notebook_password,
    notebook_profile,
)
from modules import ModuleFailed, four_beats, run_module

PASSWORD = "a walk along the Red Cedar"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory of a new account."""
    path = tmp_path / "home"
    path.mkdir(mode=0o755)
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.delenv("JUPYTER_RUNTIME_DIR", raising=False)
    return path


def names(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def test_four_beats() -> None:
    for beat in four_beats(notebook_profile, password=PASSWORD):
        changed = {beat[name]["changed"] for name in notebook_profile.RESOURCES}
        assert changed == {beat["changed"]}
        assert bool(beat["reason"]) == bool(beat["diff"]) == beat["changed"]


def test_the_three_modules_find_nothing_to_do_after_it(home: Path) -> None:
    run_module(notebook_profile, password=PASSWORD, authority=True)
    made = names(home)
    assert not run_module(ipython_profile)["changed"]
    assert not run_module(notebook_certificate, authority=True)["changed"]
    assert not run_module(notebook_password, password=PASSWORD)["changed"]
    assert names(home) == made


def test_it_finds_nothing_to_do_after_the_three_modules() -> None:
    run_module(ipython_profile)
    run_module(notebook_certificate)
    run_module(notebook_password, password=PASSWORD)
    answer = run_module(notebook_profile, password=PASSWORD)
    assert (answer["changed"], answer["reason"], answer["diff"]) == (False, "", [])


@pytest.mark.parametrize(
    "bad",
    [
        {"password": "short"},
        {"password": PASSWORD, "days": 4000},
        {"password": PASSWORD, "names": ["*"]},
        {"password": PASSWORD, "options": {"ServerApp.ip": "0.0.0.0"}},
        {},  # no password is stored
    ],
    ids=str,
)
def test_what_is_refused_for_one_of_them_leaves_all_untouched(
    home: Path, bad: dict[str, Any]
) -> None:
    with pytest.raises(ModuleFailed) as failed:
        run_module(notebook_profile, **bad)
    assert "\n" not in str(failed.value)
    assert names(home) == set()


def test_only_what_is_damaged_is_made_anew(home: Path) -> None:
    run_module(notebook_profile, password=PASSWORD)
    (home / ".ipython/profile_nbserver/security/notebook.crt").unlink()
    answer = run_module(notebook_profile, password=PASSWORD)
    changed = {name: answer[name]["changed"] for name in notebook_profile.RESOURCES}
    assert changed == {"profile": False, "certificate": True, "password": False}
    assert action.changes(answer) == ["certificate: notebook.crt: missing"]


def test_a_profile_goes_with_all_that_was_made_in_it(home: Path) -> None:
    run_module(notebook_profile, password=PASSWORD)
    answer = run_module(notebook_profile, state="absent")
    assert (answer["changed"], answer["profile"]["kept"]) == (True, [])
    assert names(home / ".ipython") == set()


def test_of_many_reasons_the_first_are_printed() -> None:
    many = {"changed": True, "reason": "; ".join(f"{name}: missing" for name in "abcdef")}
    few = {"changed": True, "reason": "a: missing; b: mode 0755"}
    answer = {"profile": many, "certificate": few, "password": {"changed": False, "reason": ""}}
    assert action.changes(answer) == [
        "profile: a: missing; b: missing; c: missing; and 3 more",
        "certificate: a: missing; b: mode 0755",
    ]


def test_no_secret_is_in_what_it_reports() -> None:
    for answer in four_beats(notebook_profile, password=PASSWORD):
        said = json.dumps({**answer, "invocation": {}})
        assert PASSWORD not in said
        assert "argon2id" not in said

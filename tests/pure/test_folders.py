"""The folder of a test says what it needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from starts_nothing import Watch

CHECKOUT = Path(__file__).parents[2]
FOLDERS = {"pure", "host", "safety", "e2e"}


def test_each_test_lies_in_a_folder_that_says_what_it_needs() -> None:
    files = [*CHECKOUT.glob("tests/**/test_*.py"), *CHECKOUT.glob("packages/*/tests/**/test_*.py")]
    assert len(files) > 100
    assert [str(file) for file in files if file.parent.name not in FOLDERS] == []


def test_what_a_folder_needs_is_the_marker_of_its_tests(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("pure")
    assert not request.node.get_closest_marker("host")


def test_a_pure_test_that_starts_something_fails() -> None:
    with pytest.raises(AssertionError, match=r"subprocess\.Popen in a test that starts nothing"):
        subprocess.run(["true"], check=True)


def test_a_watch_hears_nothing_when_it_is_off() -> None:
    Watch().hear("subprocess.Popen", ())

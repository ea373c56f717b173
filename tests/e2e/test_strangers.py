"""A short run of `make hijack`: another user of gateway and node attacks a running server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "safety"))
import hijack
import people

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", autouse=True)
def ready(account: str) -> None:
    assert account == "alice"
    people.done("setup")


@pytest.mark.threat(1, 3, 4, 9, 14, 32, 33, 34, 35, 36, 37)
@pytest.mark.parametrize("attack", hijack.attacks(short=True), ids=hijack.name_of)
def test_no_stranger_succeeds_with(attack: Callable[[hijack.Report], None]) -> None:
    report = hijack.Report()
    attack(report)
    assert report.attempts
    assert report.successes == []
    assert report.heard == 0


def test_nothing_of_the_attacks_is_left() -> None:
    people.done("stop")

"""A short run of `make damage`: each kind of damage, a fraction of the cases."""

from __future__ import annotations

import damage
import pytest

EVERY = 61  # a prime, so that each kind is met at ever other places


@pytest.fixture(scope="module")
def report() -> damage.Report:
    return damage.report(EVERY)


def test_the_undamaged_profile_serves_in_every_way(report: damage.Report) -> None:
    assert {case["outcome"] for case in report.good} == {"private"}
    assert {case["judged"] for case in report.good} == {""}


@pytest.mark.threat(20)
def test_no_damage_opens_a_server(report: damage.Report) -> None:
    assert len(report.cases) > 80
    assert report.insecure == []


def test_what_our_start_accepts_is_private_or_ends(report: damage.Report) -> None:
    accepted = {case["outcome"] for case in report.cases if not case["judged"]}
    assert accepted <= {"private", "ended"}

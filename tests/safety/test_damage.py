"""A short run of `make damage`: each kind of damage, a fraction of the cases."""

from __future__ import annotations

import damage
import pytest

EVERY = 61  # a prime, so that each kind is met at ever other places


EVERY_OF_A_JOB = 499  # its server starts by itself each time


@pytest.fixture(scope="module")
def report() -> damage.Report:
    return damage.report(EVERY)


def test_the_undamaged_profile_serves_in_every_way(report: damage.Report) -> None:
    assert {case["outcome"] for case in report.good} == {"private"}
    assert {case["judged"] for case in report.good} == {""}


@pytest.mark.threat(20)
def test_no_damage_opens_the_server_of_a_job() -> None:
    """Its own script runs, and its own program, which looks at the profile once more."""
    found = damage.report(EVERY_OF_A_JOB, job=True)
    assert [case["outcome"] for case in found.good] == ["private"] * 3 * damage.PARTS
    assert len(found.cases) > 30
    assert found.insecure == []
    assert {case["outcome"] for case in found.cases if case["judged"]} <= {"ended"}
    # Some are ended while they are asked: they have skipped an option, or answered wrongly.
    accepted = {case["outcome"] for case in found.cases if not case["judged"]}
    assert accepted <= {"private", "ended", "useless"}


@pytest.mark.threat(20)
def test_no_damage_opens_a_server(report: damage.Report) -> None:
    assert len(report.cases) > 80
    assert report.insecure == []


def test_what_our_start_accepts_is_private_or_ends(report: damage.Report) -> None:
    accepted = {case["outcome"] for case in report.cases if not case["judged"]}
    assert accepted <= {"private", "ended"}

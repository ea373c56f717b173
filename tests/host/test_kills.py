"""The short form of `make chaos`: the figures are its business, the faults are ours, too."""

from __future__ import annotations

import pytest
from kills import PARTS, AnyMoment, EachStep, EachStepOfARemoval
from served_upgrades import UnderServers
from test_conda_distribution import Account

pytest_plugins = ["test_conda_distribution"]


@pytest.mark.fault("F35 any moment")
@pytest.mark.timeout(600)
def test_a_kill_of_any_part_leaves_nothing_that_the_next_run_does_not_mend(
    account: Account,
) -> None:
    found = AnyMoment(account, seed=2014, sleep=0.5).run(kills=len(PARTS), clean=1)
    assert set(found.kills) == set(PARTS)
    assert (found.faults, found.unusable) == ([], 0)
    assert found.uses > 20


@pytest.mark.fault("F34 every step")
@pytest.mark.timeout(600)
def test_a_kill_after_any_single_step_does_not_either(account: Account) -> None:
    found = EachStep(account).run(every=10)
    assert found.kills["step"] > 5
    assert (found.faults, found.unusable) == ([], 0)
    assert found.uses > 20


@pytest.mark.timeout(600)
def test_a_removal_that_is_killed_after_any_single_step_is_finished(account: Account) -> None:
    found = EachStepOfARemoval(account).run(every=9)
    assert found.kills["step"] > 3
    assert found.faults == []


@pytest.mark.timeout(600)
def test_no_kill_of_an_upgrade_is_noticed_by_whoever_works(account: Account) -> None:
    campaign = UnderServers(account, seed=2014, sleep=0.5)
    found = campaign.run(kills=len(PARTS) + 2, clean=1)
    assert (found.faults, found.unusable) == ([], 0)
    served = campaign.served
    assert (served.failed, served.lost) == ([], [])
    assert served.servers > 3
    assert served.requests > 20

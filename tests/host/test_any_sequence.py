"""Any sequence of runs with any wrong values and any damage, then one good run: it ends well.

A step is one run (of the installation, or of a module of the profile) with good or wrong values, or
killed at one of its steps; or a loss, a damage, or a thing that somebody puts in the way. What says
no says it in one line, and has changed nothing of what was live.

The installation is led by the real action and done by the real programs of the host. Two parts of
it are stand-ins, which makes thousands of runs possible: the distribution and its pip.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import installation_rules
import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import installers
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from installation_rules import InstallationRules
from kills import Steps
from profile_rules import ProfileRules
from small_distribution import mirror

BEGUN = time.monotonic()
RUNS = int(os.environ.get("HPCC_NOTEBOOK_SEQUENCES", "30"))
pytestmark = pytest.mark.timeout(600 + 30 * RUNS)  # make chaos asks for ten times as many
# Memory as a file system, where there is some: what a run waits for most is the disk.
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Sequence(ProfileRules, InstallationRules, RuleBasedStateMachine):
    """One account, and whatever happens to its profile and its installation."""

    number, all_runs, refusals = 0, 0, 0  # of all sequences

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.home = Path(tempfile.mkdtemp(prefix="sequence", dir=PLACE))
        self.prepare_profile()
        self.prepare_installation()

    def teardown(self) -> None:
        """One run with good values ends well, and the next has nothing to do."""
        try:
            self.mend_installation()
            self.mend_profile()
            assert not [said for said in self.said if "\n" in said or "Traceback" in said]
            self.count()
        finally:
            self.end_profile()
            self.end_installation()
            shutil.rmtree(self.home, ignore_errors=True)

    def count(self) -> None:
        """The figures that make chaos prints."""
        Sequence.number += 1
        Sequence.all_runs += self.runs
        Sequence.refusals += len(self.said)
        if Sequence.number % 10 == 0:
            print(
                f"sequences {self.number}, runs of the installation {self.all_runs}, refusals of "
                f"all runs {self.refusals}, seconds {time.monotonic() - BEGUN:.0f}", flush=True,
            )  # fmt: skip


@pytest.fixture
def distribution() -> Iterator[None]:
    """What is installed, published for all sequences."""
    small = mock.patch.dict(installers.DISTRIBUTIONS, miniforge=installation_rules.SMALL)
    with small, tempfile.TemporaryDirectory(dir=PLACE) as name, mirror(Path(name)) as served:
        made, published = installation_rules.begin(Path(name, "made"), served)
        Sequence.mirror, Sequence.made, Sequence.published = served, made, published
        Sequence.steps = Steps(made.directory)
        yield


@pytest.mark.fault("any sequence")
@pytest.mark.usefixtures("distribution")
def test_one_good_run_mends_any_sequence_and_the_next_has_nothing_to_do() -> None:
    run_state_machine_as_test(
        Sequence,
        settings=settings(
            max_examples=RUNS, stateful_step_count=20, deadline=None, database=None,
            # A sequence takes seconds: what failed is shown as it is.
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.mark.usefixtures("distribution")
def test_going_to_an_older_version_with_a_package_that_nobody_has_changes_nothing() -> None:
    sequence = Sequence()
    try:
        sequence.begin_profile()
        sequence.begin_installation(installed=True)
        sequence.install(installer="second", packages=[], wrong={})
        sequence.install(installer="first", packages=["parcel>=2", "letter==0.1"], wrong={})
        assert "No matching distribution found for letter==0.1" in sequence.said[-1]
    finally:
        sequence.teardown()

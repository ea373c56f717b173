"""A job that its scheduler has suspended: it has its node, and its page does not answer."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from small_slurm import JobAccount, job_account

pytestmark = pytest.mark.timeout(600)  # a start, on a machine that may be busy

SAID = "it is suspended (SUSPENDED): the page does not answer until the scheduler goes on with it"


@pytest.fixture(scope="module")
def job(everybodys_python: str) -> Iterator[JobAccount]:
    with job_account(everybodys_python) as found:
        yield found


def test_it_says_so_until_it_goes_on_and_can_be_stopped_at_once(job: JobAccount) -> None:
    number = job.run("started", timeout=120)["job"]
    assert job.run("found")["stalled"] == ""
    job.slurm("scontrol", "suspend", number)
    try:
        for state in ("found", "started"):
            answer = job.run(state)
            assert (answer["job"], answer["state"]) == (number, "started")
            assert answer["stalled"] == SAID
    finally:
        job.slurm("scontrol", "resume", number)
    assert job.run("found")["stalled"] == ""
    job.slurm("scontrol", "suspend", number)
    begun = time.monotonic()
    assert job.run("stopped")["stopped_by"] == f"job {number} has ended"
    assert time.monotonic() - begun < 35, "it was not waited for in vain"
    assert job.account.processes() == []

"""A scheduler whose command hangs: that is said in one line, and the job stays as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from modules import ModuleFailed
from small_slurm import JobAccount, job_account

pytestmark = pytest.mark.timeout(600)  # it is waited for, on a machine that may be busy

SAID = "slurm does not answer: squeue said nothing in 60 s"


@pytest.fixture(scope="module")
def job(everybodys_python: str) -> Iterator[JobAccount]:
    with job_account(everybodys_python) as found:
        yield found
        found.run("stopped")


def refused(job: JobAccount, process: Any) -> str:
    with pytest.raises(ModuleFailed) as told:
        job.account.finish(process)
    return str(told.value.result["msg"])


def test_nothing_is_lost_and_there_is_no_second_job(job: JobAccount) -> None:
    number = job.run("started", timeout=120)["job"]
    before = job.account.record.read_bytes(), job.submission.read_bytes()
    with job.refusing("squeue", after=300):
        begun = time.monotonic()
        for states in (("found", "started"), ("stopped", "joined")):
            asked = {state: job.begin(state) for state in states}
            for state in set(states) - {"joined"}:
                assert refused(job, asked[state]) == f"{SAID}."
        answer = job.account.finish(asked["joined"])
        assert (answer["job"], answer["state"]) == (number, "waiting")
        assert answer["reason"] == f"{SAID}."
        assert time.monotonic() - begun < 180
    assert (job.account.record.read_bytes(), job.submission.read_bytes()) == before
    for state in ("found", "started"):
        answer = job.run(state)
        assert (answer["job"], answer["state"]) == (number, "started")
    given = (job.account.home / "slurm" / "commands").read_text().split()
    assert (given.count("sbatch"), given.count("scancel")) == (1, 0)

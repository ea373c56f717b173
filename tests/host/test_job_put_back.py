"""A job that was put back into the queue: what lies there of its former run is not believed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_slurm import JobAccount, job_account
from waiting import eventually, nothing_left

pytestmark = pytest.mark.timeout(600)  # several starts, on a machine that may be busy

CLOCKS = 6.0  # seconds after which clocks that differ are no reason to believe what lies there


@pytest.fixture(scope="module")
def job(everybodys_python: str) -> Iterator[JobAccount]:
    with job_account(everybodys_python) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_after(job: JobAccount) -> Iterator[None]:
    yield
    job.run("stopped")


def joined(job: JobAccount, seconds: int) -> dict[str, Any]:
    answer: dict[str, Any] = job.account.finish(job.begin("joined", wait=seconds))
    return answer


@pytest.mark.parametrize("warned", [False, True], ids=["killed", "warned"])
def test_it_waits_again_and_serves_again(job: JobAccount, warned: bool) -> None:
    number = job.run("started", timeout=120)["job"]
    before = json.loads(job.account.record.read_text())
    if warned:
        job.slurm("scancel", "--batch", "--signal=TERM", number)
        eventually(job.submission.with_name("end.json").exists, "its end")
    job.slurm("scontrol", "requeue", number)
    nothing_left(Path(f"/proc/{before['pid']}/cwd").exists, "processes of the former run")
    time.sleep(CLOCKS)
    asked = job.questions()
    for answer in (job.run("found"), joined(job, 2)):
        assert (answer["job"], answer["state"]) == (number, "waiting")
        assert answer["reason"] == "it was put back into the queue (BeginTime)"
    assert job.questions() == asked + 2, "one for each"
    begun = job.account.home / "slurm" / f"{number}.begun"
    slow = begun.with_suffix(".begun.slow")
    slow.touch()
    begun.with_suffix(".begun.full").unlink()
    eventually(begun.exists, "the scheduler lets it run")
    for answer in (job.run("found"), joined(job, 2)):
        assert (answer["job"], answer["state"]) == (number, "starting"), "its program runs not yet"
    slow.unlink()
    answer = joined(job, 90)
    assert (answer["job"], answer["state"]) == (number, "started")
    assert json.loads(job.account.record.read_text())["pid"] != before["pid"]

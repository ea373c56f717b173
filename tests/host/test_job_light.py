"""What a job has beside the server is small, and does next to nothing."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_slurm import JobAccount, job_account

pytestmark = pytest.mark.timeout(600)  # a start, on a machine that may be busy

MB = 1 << 10  # in the kernel's KB
WATCHED = 20.0  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def job(everybodys_python: str) -> Iterator[JobAccount]:
    with job_account(everybodys_python) as found:
        found.run("started", timeout=120)
        yield found
        found.run("stopped")


@pytest.fixture
def program(job: JobAccount) -> Path:
    """What took the place of the job's script, while the server beside it serves."""
    (pid,) = (job.account.home / "slurm").glob("*.pid")
    return Path("/proc") / pid.read_text()


def cpu_seconds(process: Path) -> float:
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def test_it_takes_at_most_30_mb(program: Path) -> None:
    found = re.search(r"^VmHWM:\s+(\d+) kB$", (program / "status").read_text(), re.MULTILINE)
    assert found
    assert int(found[1]) <= 30 * MB, found[0]


def test_while_nothing_happens_it_takes_no_cpu_and_asks_no_scheduler(
    job: JobAccount, program: Path
) -> None:
    assert b"supervisor.py" in (program / "cmdline").read_bytes()
    before, asked = cpu_seconds(program), job.questions()
    time.sleep(WATCHED)
    assert job.questions() == asked > 0
    assert cpu_seconds(program) - before <= WATCHED / 100

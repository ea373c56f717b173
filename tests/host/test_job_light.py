"""What a job has beside the server is small, and does next to nothing."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import new_account
from small_slurm import JobAccount

pytestmark = pytest.mark.timeout(600)  # a start, on a machine that may be busy

MB = 1 << 10  # in the kernel's KB
WATCHED = 20.0  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def program(everybodys_python: str) -> Iterator[Path]:
    """What took the place of the job's script, while the server beside it serves."""
    found = JobAccount(new_account(everybodys_python))
    try:
        number = found.run("started", timeout=120)["job"]
        yield Path("/proc") / (found.account.home / "slurm" / f"{number}.pid").read_text()
        found.run("stopped")
    finally:
        found.account.clean_up()


def cpu_seconds(process: Path) -> float:
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def test_it_takes_at_most_30_mb(program: Path) -> None:
    found = re.search(r"^VmHWM:\s+(\d+) kB$", (program / "status").read_text(), re.MULTILINE)
    assert found
    assert int(found[1]) <= 30 * MB, found[0]


def test_it_takes_no_cpu_while_nothing_happens(program: Path) -> None:
    assert b"supervisor.py" in (program / "cmdline").read_bytes()
    before = cpu_seconds(program)
    time.sleep(WATCHED)
    assert cpu_seconds(program) - before <= WATCHED / 100

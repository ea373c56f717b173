"""A qsub that waits for its job's end, as `-sync y` in ~/.sge_request has it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from cluster_helper.commands import Commands
from cluster_helper.errors import ClusterError
from cluster_helper.schedulers.sge import DIALECT


@pytest.fixture
def qsub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program of a test stands; in Python, which keeps what goes into a pipe, too."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "script").write_text("#!/bin/sh\n#$ -q main\n")
    path = tmp_path / "qsub"
    path.touch(0o700)
    return path


def submitted(qsub: Path, source: str) -> str:
    qsub.write_text(f"#!{sys.executable}\nimport sys, time\n{source}\n")
    return Commands(DIALECT).submit(qsub.with_name("script"))


def test_the_job_is_known_as_soon_as_it_is_named(qsub: Path) -> None:
    began = time.monotonic()
    warned = "print('Unable to look into the future')\nprint('4711.1-5:1')\ntime.sleep(50)"
    assert submitted(qsub, warned) == "4711"
    assert time.monotonic() - began < 20


def test_half_a_number_is_no_name(qsub: Path) -> None:
    slow = "print('47', end='', flush=True)\ntime.sleep(1)\nprint('11')"
    assert submitted(qsub, slow) == "4711"


@pytest.mark.parametrize("code", [0, 1])
def test_a_refusal_is_told_in_its_own_words(qsub: Path, code: int) -> None:
    refused = f"sys.stderr.write('Unable to run job: no such queue')\nsys.exit({code})"
    with pytest.raises(ClusterError, match="no such queue"):
        submitted(qsub, refused)


def test_a_job_whose_submission_failed_is_none(qsub: Path) -> None:
    with pytest.raises(ClusterError, match="refused the job"):
        submitted(qsub, "print('4711')\nsys.exit(25)")

"""The test run itself: it inherits nothing, and no test outlasts its limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PROBE = """
import os, signal, subprocess
def test_it():
    dispositions = [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)]
    assert dispositions == [signal.SIG_DFL, signal.SIG_DFL]
    child = subprocess.Popen(["sleep", "60"])
    child.send_signal(signal.SIGHUP)
    assert child.wait(10) == -signal.SIGHUP
    assert os.umask(0o022) == 0o022
    assert os.environ["LANG"] == "C.UTF-8" and "LC_ALL" not in os.environ
    assert "TMPDIR" not in os.environ
"""
IN_A_FINALIZER = """
import pytest, time
@pytest.fixture
def hanging():
    yield
    try:
        time.sleep(600)
    except BaseException:
        time.sleep(600)
@pytest.mark.timeout(1)
def test_it(hanging):
    pass
"""
AFTER_ITS_TIMER = """
import pytest, time
@pytest.mark.timeout(1)
def test_it():
    try:
        time.sleep(600)
    except BaseException:
        time.sleep(600)
"""


def run(directory: Path, test: str, *before: str) -> subprocess.CompletedProcess[str]:
    """A run of its own under the same conftest, which is less patient with what hangs."""
    text = (TESTS / "conftest.py").read_text(encoding="utf-8")
    assert "GRACE = 90.0" in text
    (directory / "conftest.py").write_text(text.replace("GRACE = 90.0", "GRACE = 2.0"))
    (directory / "test_it.py").write_text(test)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    return subprocess.run(
        [*before, *argv], cwd=directory, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    "caller",
    [
        "trap '' HUP INT TERM",
        "umask 077",
        "umask 000",
        "export LANG=C LC_ALL=C LANGUAGE=de",
        "export TMPDIR=/nonexistent",
    ],
)
def test_it_does_not_matter_who_calls(tmp_path: Path, caller: str) -> None:
    done = run(tmp_path, PROBE, "sh", "-c", f'{caller}; exec "$@"', "sh")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("test", [IN_A_FINALIZER, AFTER_ITS_TIMER], ids=["finalizer", "timer"])
def test_a_test_that_hangs_ends_the_run_and_is_shown(tmp_path: Path, test: str) -> None:
    done = run(tmp_path, test)
    assert done.returncode != 0
    assert "Timeout (0:00:03)!" in done.stderr
    assert "test_it.py" in done.stderr

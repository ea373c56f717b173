"""What every test runs in: the same process state whoever calls, and a limit that holds.

The folder of a test says what it needs, and marks it so; what several folders use is in support/.
Temporary files go with the run, also what a killed Ansible left.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).parents[1]
# The checkout is importable as ansible_collections.hpcc.notebook, without installing it.
for _place in ("tests/support", "packages/cluster_helper", "playbooks/collections"):
    sys.path.insert(0, str(CHECKOUT / _place))
# Others may use the machine at the same time: a slow example is no wrong one.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

FOLDERS = {"pure": "pure", "host": "host", "safety": "host", "e2e": "cluster"}
# `nohup` and some CI runners start programs with some of these ignored, and children inherit that.
USUAL_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD)
# Seconds beyond a test's own limit after which its whole process ends, wherever it hangs.
GRACE = 90.0
TERMINAL = pytest.StashKey[int]()
PLACE = pytest.StashKey[Path]()
TO_END = 30.0  # seconds for what a test has told to end, and for the compiler of an installation
LONGEST = 600.0  # of a test that has no timer of pytest's


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Short paths, since some of the limits that are tested are of paths."""
    inherit_nothing()
    config.stash[TERMINAL] = os.dup(2)  # before pytest captures what tests print
    if config.option.basetemp:  # the person's own, or a worker's part of ours
        return
    place = Path(tempfile.mkdtemp(prefix="hn-", dir="/tmp"))
    config.option.basetemp = str(place / "p")
    config.stash[PLACE] = place
    os.environ["ANSIBLE_LOCAL_TEMP"] = str(place / "ansible")
    config.add_cleanup(lambda: shutil.rmtree(place, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in FOLDERS:
            item.add_marker(FOLDERS[item.path.parent.name])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that leaves something running has failed, whichever it was."""
    place = session.config.stash.get(PLACE, None)
    deadline = time.monotonic() + TO_END
    while place and (left := processes_of(place)):
        if time.monotonic() > deadline:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            lines = "".join(f"left running: {pid} {words}\n" for pid, words in left.items())
            os.write(session.config.stash[TERMINAL], f"\n{lines}".encode())
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.5)


def processes_of(place: Path) -> dict[int, str]:
    """Those whose arguments name the temporary directory of this run, which has a random name."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(place) in words:
                found[int(entry.parent.name)] = words
    return found


def inherit_nothing() -> None:
    """Set what a process inherits from whoever started it, so that no test depends on it."""
    for number in USUAL_SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0o022)
    for name in [name for name in os.environ if name == "LANGUAGE" or name.startswith("LC_")]:
        del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"
    os.environ.pop("TMPDIR", None)
    os.environ.setdefault("TERM", "dumb")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1024 if hard == resource.RLIM_INFINITY else min(1024, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End the process when a test outlasts its limit although its own timer has rung.

    pytest-timeout raises in the test once; what hangs afterwards, such as a finalizer, it leaves.
    """
    marker = item.get_closest_marker("timeout")
    stated = marker.args[0] if marker and marker.args else item.config.getini("timeout")
    limit = float(item.config.getoption("timeout", None) or stated or LONGEST)
    faulthandler.dump_traceback_later(limit + GRACE, exit=True, file=item.config.stash[TERMINAL])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()

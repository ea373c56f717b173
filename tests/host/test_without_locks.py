"""A file system without locks whose mount does not say so, such as Lustre without `flock`.

Nobody can have a lease there, so that nobody has one tells nothing.
"""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path

import pytest
from test_leases import SYSTEM
from test_planted_leases import LIVE, OLD, Store


@pytest.fixture(params=["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Whose Python meets this error at each lock on a lease."""
    made = Store(tmp_path)
    strace = ["strace", "-qq", "-o", "/dev/null", "-P", str(made.lease())]
    strace += ["-e", "trace=fcntl", "-e", f"inject=fcntl:error={request.param}", SYSTEM]
    for generation in (OLD, LIVE):
        python = made.store / generation / "bin/python"
        python.unlink()
        python.write_text(f'#!/bin/sh\nexec {shlex.join(strace)} "$@"\n')
        python.chmod(0o755)
    return made


def test_a_generation_stays_for_a_while(store: Store) -> None:
    store.pruned()
    assert (store.store / OLD / "bin").is_dir()
    assert not (store.store / OLD).is_symlink()
    assert "do not see each other's locks" in (store.home / "held").read_text()


def test_it_goes_when_it_has_not_been_live_for_long(store: Store) -> None:
    os.utime(store.lease(), (time.time() - 31 * 86400,) * 2)
    store.pruned()
    assert (store.store / OLD).is_symlink()

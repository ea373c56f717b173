"""A lease holds across namespaces of processes, as of containers; who has it is then not known."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from test_leases import HOLD, SYSTEM, running
from test_planted_leases import LIVE, OLD, Store

APART = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
UNSEEN = "a program of another host, or of somebody whose processes cannot be seen,"
# Who is in a namespace of its own: the one that has the lease, or the one that asks.
CASES = {
    "it is held in a container": (APART, [], r"process [1-9]\d* of \S+ \(uid \d+\)"),
    "it is asked for in a container": ([], APART, UNSEEN),
    "two containers": (APART, APART, UNSEEN),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    if subprocess.run([*APART, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("this account may not make a namespace of processes")
    return Store(tmp_path)


@pytest.mark.parametrize(("holds", "asks", "words"), CASES.values(), ids=CASES)
def test_a_lease_of_another_namespace_holds_and_its_holder_is_told_as_far_as_it_can_be_seen(
    store: Store, holds: list[str], asks: list[str], words: str
) -> None:
    store.behind = asks
    with running([*holds, SYSTEM, "-c", HOLD, str(store.lease())]):
        (told,) = store.looked()
        assert re.match(words, told)
        removes = f"remove_generation {OLD} || echo $HELD_BY >$WORK/held-by"
        store.works(f"prune_one {OLD} || :\n{removes}")
        assert re.match(words, (store.home / "held-by").read_text())
        assert re.search(f"stays: {words} ?runs from it", (store.home / "held").read_text())
        assert (store.store / OLD).is_dir()
        assert not (store.store / OLD).is_symlink()
    deadline = time.monotonic() + 20
    while store.looked() and time.monotonic() < deadline:
        time.sleep(0.05)
    store.pruned()
    assert (store.store / OLD).is_symlink()
    assert (store.store / LIVE).is_dir()

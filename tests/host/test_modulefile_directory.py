"""A modulefile where others write, too: nothing else of its writer's is touched."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._modulefile.text import MARK
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question
from people_and_stores import PERSON, ROOT, Person, person

APPLY = SCRIPTS / "modulefile" / "apply.sh"
HERS = "a file of hers\n"
THEIRS = "-- a modulefile of somebody else\n"
OURS = f"-- {MARK}\n"
pytestmark = [
    pytest.mark.skipif(not ROOT, reason="only root can be somebody else"),
    pytest.mark.threat(14),
]


@pytest.fixture
def her() -> Iterator[Person]:
    with person() as made:
        yield made


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory to which everybody may write, without a sticky bit; a group's has the same."""
    with tempfile.TemporaryDirectory(prefix="hpcc-shared-") as made:
        Path(made).chmod(0o777)
        yield Path(made)


@pytest.fixture
def hers(her: Person) -> Path:
    """Something of hers that nobody else can read or change."""
    made = her.home / "hers"
    made.write_text(HERS)
    made.chmod(0o600)
    os.chown(made, PERSON, PERSON)
    return made


def apply(her: Person, target: Path | str, *stale: Path) -> Answers:
    names = "\n".join(map(str, stale))
    asked = question({"TARGET": target, "CONTENT": OURS, "STALE": names, "OURS": MARK}, APPLY)
    return her.asked(asked)


def untouched(hers: Path) -> bool:
    return (hers.read_text(), hers.stat().st_mode & 0o777) == (HERS, 0o600)


def test_a_copy_is_not_written_through_a_link(her: Person, shared: Path, hers: Path) -> None:
    target = shared / "anaconda.lua"
    target.write_text(THEIRS)
    for second in range(-1, 30):
        then = time.strftime("%Y-%m-%d@%H:%M:%S", time.localtime(time.time() + second))
        Path(f"{target}.{then}~").symlink_to(hers)
    assert "failed" in apply(her, target)
    assert untouched(hers)
    assert target.read_text() == THEIRS


@contextmanager
def swapping(shared: Path, hers: Path) -> Iterator[None]:
    """A neighbour puts a link in the place of each file that is being written."""
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            for made in shared.glob(".*"):
                if not made.is_symlink():
                    with suppress(OSError):
                        made.unlink()
                        made.symlink_to(hers)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        yield
    finally:
        over.set()
        swapper.join()


def test_a_file_that_is_swapped_is_not_written_through(
    her: Person, shared: Path, hers: Path
) -> None:
    with swapping(shared, hers):
        for _attempt in range(20):
            apply(her, shared / "anaconda.lua")
            assert untouched(hers)


def test_what_is_removed_was_ours(her: Person, shared: Path, hers: Path) -> None:
    """It was, when it was looked at; then her home was put in the place of its directory."""
    (shared / "lab").symlink_to(her.home)
    assert apply(her, "", shared / "lab/hers")["applied"] == ["yes"]
    assert untouched(hers)


def test_a_copy_of_what_was_private_is_private(her: Person, shared: Path, hers: Path) -> None:
    target = shared / "anaconda.lua"
    target.symlink_to(hers)
    assert apply(her, target)["applied"] == ["yes"]
    (copy,) = shared.glob("*~")
    assert untouched(copy)
    assert copy.stat().st_mtime_ns == hers.stat().st_mtime_ns
    assert (target.read_text(), target.stat().st_mode & 0o777) == (OURS, 0o644)


def test_what_an_earlier_run_wrote_goes(her: Person, shared: Path) -> None:
    (shared / "lab").mkdir()
    (shared / "lab").chmod(0o777)
    (shared / "lab/old.lua").write_text(OURS)
    apply(her, shared / "new.lua", shared / "lab/old.lua", shared / "gone/old.lua")
    assert not list((shared / "lab").iterdir())
    assert (shared / "new.lua").read_text() == OURS

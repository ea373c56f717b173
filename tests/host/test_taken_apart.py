"""A generation with a person's files in it is renamed before anything of it goes, by any kill."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from one_task import TaskFailed
from test_conda_distribution import Account
from test_conda_distribution_states import left, removed
from test_planted_leases import OLD, Store

pytest_plugins = ["test_conda_distribution"]

BROUGHT = ("bin/python", "lib/one", "share/two")
MINE = ("bin/mine", "data/mine too")
# Takes a lease as every Python of a generation does when it starts, and writes down that it has.
BEGINS = """
import fcntl, os, sys, time
lease = open(sys.argv[1])
fcntl.lockf(lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
open(sys.argv[2], "w").write(str(os.getpid()))
time.sleep(60)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return filled(tmp_path)


def filled(home: Path) -> Store:
    """Its old generation has something of an installer's, and something of a person's."""
    made = Store(home)
    tree = made.store / OLD
    for name in (*BROUGHT[1:], *MINE):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(name)
    (made.markers / f".files-{OLD}").write_text("".join(f"./{name}\n" for name in sorted(BROUGHT)))
    return made


def files(place: Path) -> set[str]:
    found = (path for path in place.rglob("*") if path.is_symlink() or path.is_file())
    return {str(path.relative_to(place)) for path in found}


@contextmanager
def begun(note: Path) -> Iterator[int]:
    """The program that has begun meanwhile, if it has: 0 when it was refused."""
    pid = int(note.read_text()) if note.exists() else 0
    try:
        yield pid
    finally:
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


# What a person starts from there, at the moment when the files are compared for the nth time.
_BEGIN = """
comm() {{
  echo >>{calls}
  [ "$(wc -l <{calls})" -ne {nth} ] || begin
  command comm "$@"
}}
begin() {{
  {python} -c {code} {lease} {note} >/dev/null 2>&1 </dev/null &
  for each in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ ! -s {note} ] && kill -0 "$!" 2>/dev/null || return 0
    sleep 0.1
  done
}}
"""


@pytest.mark.threat(28)
@pytest.mark.parametrize("nth", [1, 2])
def test_what_begins_to_run_meanwhile_has_all_of_it_or_does_not_begin(
    store: Store, nth: int
) -> None:
    tree, note, calls = store.store / OLD, store.home / "held", store.markers / "calls"
    words = {"python": tree / "bin/python", "code": BEGINS, "lease": store.lease(), "note": note}
    quoted = {name: shlex.quote(str(word)) for name, word in words.items()}
    hook = _BEGIN.format(**quoted, calls=shlex.quote(str(calls)), nth=nth)
    store.works(f'{hook}\nremove_generation {OLD} || echo "$HELD_BY" >{calls}.said')
    assert calls.read_text().count("\n") >= nth, "the moment came"
    with begun(note) as pid:
        if pid:
            assert files(tree) == {*BROUGHT, *MINE}
            assert f"process {pid} of " in Path(f"{calls}.said").read_text()
        else:
            assert not tree.exists()
            assert files(store.store / "kept" / f"{OLD}.r") == set(MINE)
        assert (pid != 0) is (nth == 1)
    store.works(f"[ ! -d {tree} ] || remove_generation {OLD}; clear_garbage")
    assert_removed(store)


def assert_removed(store: Store, *, whole: bool = False) -> None:
    assert not (store.store / OLD).exists()
    (kept,) = (store.store / "kept").iterdir()
    assert files(kept) == {*MINE, *(BROUGHT if whole else ())}
    assert not list(store.markers.glob(f".*-{OLD}*"))
    assert not (store.markers / OLD).exists()


# A kill after each of these: between two of them, nothing changes.
_KILLED = """
step() {{ echo >>{steps}; [ "$(wc -l <{steps})" -ne {last} ] || kill -KILL 0; }}
mkdir() {{ command mkdir "$@"; step; }}
ln() {{ command ln "$@"; step; }}
rm() {{ command rm "$@"; step; }}
mv() {{ command mv "$@"; step; }}
comm() {{ command comm "$@"; step; }}
tr() {{ command tr "$@"; step; }}
xargs() {{ command xargs "$@"; step; }}
find() {{ command find "$@"; step; }}
say() {{ step; }}
"""


@pytest.mark.fault("F34 every step")
@pytest.mark.parametrize("is_lost", [False, True], ids=["with its list", "without its list"])
def test_after_a_kill_at_any_step_the_next_run_goes_on_and_nothing_of_theirs_is_lost(
    tmp_path: Path, *, is_lost: bool
) -> None:
    last = 1
    while is_killed(tmp_path / str(last), last, is_lost=is_lost):
        last += 1
    assert last > (3 if is_lost else 10)


def is_killed(home: Path, last: int, *, is_lost: bool) -> bool:
    home.mkdir()
    store, steps = filled(home), home / "anaconda.d/steps"
    if is_lost:
        (store.markers / f".files-{OLD}").unlink()
    hook = _KILLED.format(steps=shlex.quote(str(steps)), last=last)
    try:
        store.works(f"{hook}\nremove_generation {OLD}", apart=True)
        code = 0
    except subprocess.CalledProcessError as error:
        code = error.returncode
    tree, kept = store.store / OLD, store.store / "kept" / f"{OLD}.r"
    assert tree.exists() is not kept.exists(), "it is here or there"
    assert {*MINE} <= files(tree if tree.exists() else kept)
    if tree.exists():
        assert files(tree) == {*BROUGHT, *MINE}, "whole, as long as anything can run from it"
    store.works(f"RUN=s\n[ ! -d {tree} ] || remove_generation {OLD}\nclear_garbage; claim {OLD}")
    (store.markers / f".begun-{OLD}").unlink()  # of the claim, which a new one of that name makes
    assert_removed(store, whole=is_lost)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_where_it_cannot_be_kept_it_stays_as_it_is(account: Account) -> None:
    """Also when it is damaged, and an installation of the same name cannot take its place."""
    made = account.run()
    tree = Path(made["generation"])
    (tree / "bin/my own").write_text("theirs")
    kept = Path(f"{account.prefix}.d/kept")
    kept.write_text("theirs, too")
    before = files(tree)
    with pytest.raises(TaskFailed, match=f"into which somebody put something, to {kept}"):
        removed(account)
    assert files(tree) == before
    (tree / "bin/python").unlink()
    with pytest.raises(TaskFailed, match=f"into which somebody put something, to {kept}"):
        account.run()
    assert files(tree) == before - {"bin/python"}
    kept.unlink()
    account.run()
    (found,) = kept.rglob("my own")
    assert found.read_text() == "theirs"
    removed(account)
    assert {Path(path).name for path in left(account) if Path(path).is_file()} == {"my own"}

"""Nobody can use a lease to make the owner delete, execute or follow anything."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question
from people_and_stores import NEIGHBOUR, ROOT, as_user
from test_leases import HOLD, SYSTEM, running

OLD, LIVE = "miniforge-1-0123456789ab", "miniforge-2-0123456789ab"
COMMON, PRUNE = (SCRIPTS / "installation" / f"{name}.sh" for name in ("common", "prune"))
LOOK = SCRIPTS / "doctor" / "look.sh"


class Store:
    """Two generations that our own Python serves, and something dear elsewhere."""

    def __init__(self, home: Path) -> None:
        self.home, self.prefix, self.store = home, home / "anaconda", home / "anaconda.d"
        self.markers, self.dear = self.store / "markers", home / "dear"
        self.behind: list[str] = []  # a command that runs commands in another place
        self.markers.mkdir(parents=True)
        for name in (OLD, LIVE):
            (self.store / name / "bin").mkdir(parents=True)
            (self.store / name / "bin/python").symlink_to(SYSTEM)
            (self.markers / f".begun-{name}").touch()
            (self.markers / f".files-{name}").write_text("./bin/python\n")
            (self.markers / name).write_text(f"schema=1 path={self.store}/{name}")
            self.lease(name).touch()
        self.prefix.symlink_to(f"anaconda.d/{LIVE}")
        self.dear.write_text("dear")
        os.utime(self.dear, (1, 1))

    def lease(self, name: str = OLD) -> Path:
        return self.markers / f".lease-{name}"

    def does(self, text: str, *files: Path, apart: bool = False) -> Answers:
        """What the programs on the node answer; none may wait for anybody.

        Apart, in a session of their own: so they can kill all that belongs to them.
        """
        settings = {"PREFIX": self.prefix, "RUN": "r", "WORK": self.home, "OWN_HOME": self.home}
        program = host_shell.LEASES.read_text(encoding="utf-8")
        asked = question({**settings, "LEASES": program}, *files, text=text)
        ran = subprocess.run(
            [*self.behind, "sh"], input=asked.program, cwd=self.home, timeout=20,
            start_new_session=apart, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert not ran.stderr or "Is a directory" in ran.stderr  # it stays, and is in the log
        return asked.answers(ran.stdout)

    def pruned(self) -> None:
        self.works(f"prune_one {OLD} || :")

    def works(self, text: str, *, apart: bool = False) -> None:
        """A part of the worker, without its log and its patience for the disk."""
        before = "say() { :; }\nsettle_one() { :; }\nlocate\n"
        self.does(f"{before}{text}\nend_answers\n", COMMON, PRUNE, apart=apart)

    def looked(self) -> list[str]:
        """Without what else the doctor looks at."""
        functions = LOOK.read_text().partition("\nhost=$(uname -n)\n")[0]
        where = f"prefix={shlex.quote(str(self.prefix))}"
        live = f"generation={shlex.quote(str(self.store / LIVE))}"
        text = f"{functions}\n{where}\n{live}\nlook_at_leases\nend_answers\n"
        return self.does(text).get("lease", [])

    def untouched(self) -> bool:
        state = self.dear.read_text(), self.dear.stat().st_mtime
        names = {path.name for path in self.home.iterdir()} - {"held"}
        return (*state, names) == ("dear", 1, {"anaconda", "anaconda.d", "dear"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    tmp_path.chmod(0o755)
    return Store(tmp_path)


def link(store: Store, lease: Path) -> None:
    lease.symlink_to(store.dear)


def hard_link(store: Store, lease: Path) -> None:
    lease.hardlink_to(store.dear)


def dangling(store: Store, lease: Path) -> None:
    lease.symlink_to(store.home / "made")


def link_to_python(_store: Store, lease: Path) -> None:
    lease.symlink_to(SYSTEM)


def endless(_store: Store, lease: Path) -> None:
    lease.symlink_to("/dev/zero")


def circle(_store: Store, lease: Path) -> None:
    lease.symlink_to(lease.name)


def pipe(_store: Store, lease: Path) -> None:
    os.mkfifo(lease)


def listening(_store: Store, lease: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as made:
        os.chdir(lease.parent)
        made.bind(lease.name)


def directory(store: Store, lease: Path) -> None:
    lease.mkdir()
    (lease / "link").symlink_to(store.dear)


def huge(_store: Store, lease: Path) -> None:
    lease.touch()
    os.truncate(lease, 1 << 40)


def program(store: Store, lease: Path) -> None:
    lease.write_text(f"#!/bin/sh\ntouch {store.home}/made\n$(touch {store.home}/made)\nimport os\n")
    lease.chmod(0o777)


def future(_store: Store, lease: Path) -> None:
    lease.touch()
    os.utime(lease, (time.time() + 10**9,) * 2)


def of_a_neighbour(_store: Store, lease: Path) -> None:
    lease.touch()
    if ROOT:
        os.chown(lease, NEIGHBOUR, NEIGHBOUR)


PLANTED: list[Callable[[Store, Path], None]] = [
    link, hard_link, dangling, link_to_python, endless, circle, pipe, listening, directory, huge,
    program, future, of_a_neighbour,
]  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_lies_in_the_place_of_a_lease_is_neither_followed_nor_read_nor_run(
    store: Store, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Store, Path], None]
) -> None:
    monkeypatch.chdir(store.home)  # a socket is bound by a short name
    store.lease().unlink()
    plant(store, store.lease())
    assert store.looked() == []
    assert store.untouched()
    store.pruned()
    assert (store.store / OLD).is_symlink()
    assert (store.store / LIVE).is_dir()
    assert store.untouched()


NAMES = ["one\ntwo=three", "$(touch made)", "`touch made`", "; touch made", "a b *", "\033[2J", "…"]
NAMES += ["-rf", "x" * 240]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_lease_is_told_and_nothing_else(store: Store, name: str) -> None:
    lease = store.lease(name)
    lease.touch()
    with running([SYSTEM, "-c", HOLD, str(lease)]) as program:
        (told,) = store.looked()
        assert told.startswith(f"process {program.pid} of ")
        assert told.isprintable()
        store.pruned()
    assert (store.store / OLD).is_symlink()
    assert lease.exists()
    assert store.untouched()


def test_a_link_is_not_followed_where_a_lease_is_made(store: Store) -> None:
    """Neither by what says since when a generation is not live, nor by what writes the file."""
    lease = store.lease()
    for target in (store.home / "made", store.dear):
        lease.unlink()
        lease.symlink_to(target)
        store.works(f"date_lease {OLD}")
        assert store.untouched()
        store.works(f"note lease {OLD}")
        assert not lease.is_symlink()
        assert lease.is_file()
        assert store.untouched()


ATTEMPTS = {
    "making one": 'open(markers + "/.lease-new", "w")',
    "removing it": "os.unlink(lease)",
    "another name for it": 'os.rename(lease, markers + "/.lease-other")',
    "a link in its place": 'os.symlink("/etc/passwd", lease + "-2")',
    "writing to it": 'open(lease, "r+").write("x")',
    "other rights": "os.chmod(lease, 0o777)",
    "another time": "os.utime(lease, (1, 1))",
    "emptying it": "os.truncate(lease, 0)",
    "a generation's place": 'os.rename(os.path.dirname(markers), "/tmp/elsewhere")',
}


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_neighbour_can_do_nothing_to_it_but_lock_it(store: Store, attempt: str) -> None:
    for each in reversed(store.lease().parents):
        if each.stat().st_mode & 0o011 != 0o011:
            each.chmod(each.stat().st_mode | 0o011)
    code = f"import os, sys; lease = sys.argv[1]; markers = os.path.dirname(lease); {attempt}"
    tried = subprocess.run(
        [*as_user(NEIGHBOUR), SYSTEM, "-c", code, str(store.lease())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "PermissionError" in tried.stderr


LOCKED_ODDLY = {
    "one byte far away": "fcntl.lockf(file, fcntl.LOCK_SH, 1, 1 << 60)",
    "many at once": "[fcntl.lockf(file, fcntl.LOCK_SH, 1, 2 * n) for n in range(10000)]",
    "of another kind": "fcntl.flock(file, fcntl.LOCK_EX)",
}


@pytest.mark.parametrize("lock", LOCKED_ODDLY.values(), ids=LOCKED_ODDLY)
def test_an_odd_lock_holds_one_generation_back_at_most(store: Store, lock: str) -> None:
    code = f"import fcntl, sys; file = open(sys.argv[1]); {lock}; print(flush=True); input()"
    with running([SYSTEM, "-c", code, str(store.lease())]) as program:
        told = store.looked()
        store.pruned()
        kept = not (store.store / OLD).is_symlink()
        assert kept is bool(told), "what is told holds, and nothing else does"
        assert all(f"process {program.pid} of " in line for line in told)
    store.pruned()
    assert (store.store / OLD).is_symlink()
    assert (store.store / LIVE).is_dir()

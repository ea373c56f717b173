"""No generation goes while somebody runs from it, seen or not; a lease can do nothing else."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell, leases
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS
from directly import at_rest
from one_task import TaskFailed
from people_and_stores import NEIGHBOUR, ROOT, as_user
from test_conda_distribution import Account
from test_conda_distribution_states import left, removed, upgraded

pytest_plugins = ["test_conda_distribution"]

HOLD = """
import fcntl, sys
lease = open(sys.argv[1])
fcntl.lockf(lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""
SYSTEM = "/usr/bin/python3"


def lease_of(generation: str) -> Path:
    store, _slash, name = generation.rpartition("/")
    return Path(f"{store}/markers/.lease-{name}")


@contextmanager
def running(argv: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A program that says when it is ready, until it is ended."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdin
        assert it.stdout
        try:
            assert it.stdout.readline()
            yield it
        finally:
            it.kill()


def member(generation: str) -> list[str]:
    """A member of the lab on another host: /proc shows nothing of what runs there.

    So this one neither has the path among its arguments nor runs a program from it.
    """
    lease = lease_of(generation)
    for each in reversed(lease.parents):
        if ROOT and each.stat().st_mode & 0o011 != 0o011:
            each.chmod(each.stat().st_mode | 0o011)
    return [*as_user(NEIGHBOUR), SYSTEM, "-c", HOLD, str(lease)]


def is_there(generation: str) -> bool:
    return not Path(generation).is_symlink() and Path(generation).is_dir()


def test_what_a_member_runs_from_outlives_upgrades_and_goes_when_she_has_ended(
    account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    first = account.run()["generation"]
    with running(member(first)) as hers:
        for number in (2, 3, 4):
            upgraded(account, number)
            assert is_there(first), number
        told = [line for line in capfd.readouterr().err.splitlines() if " stays: " in line]
        assert len(told) == 2, "once for each upgrade that would have pruned it"
        assert all(f"process {hers.pid} of " in line for line in told)
        name = first.rpartition("/")[2]
        logs = "".join(log.read_text() for log in Path(f"{account.prefix}.d/logs").glob("*.log"))
        assert f"kept {name}: process {hers.pid} of " in logs
    upgraded(account, 5)
    assert Path(first).is_symlink()
    assert not lease_of(first).exists()


def test_every_python_of_a_generation_has_a_lease_and_so_has_what_it_forks(
    account: Account,
) -> None:
    made = account.run()
    assert at_rest(Path(f"{account.prefix}.d")), "what still compiles has a lease, too"
    lease = str(lease_of(made["generation"]))
    fork = "import os; os.fork() and os._exit(0); print(os.getpid(), flush=True); input()"
    for python in (made["python"], f"{made['generation']}/bin/python"):
        for isolated in ([], ["-I"]):
            with running([python, *isolated, "-c", "print(1, flush=True); input()"]) as program:
                assert f"process {program.pid} of" in asked("who", lease)
    with subprocess.Popen(
        [made["python"], "-c", fork], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = parent.stdout.readline().strip()
        assert f"process {child} of" in asked("who", lease)
        parent.stdin.close()  # type: ignore[union-attr]
    deadline = time.monotonic() + 20
    while asked("who", lease) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert asked("who", lease) == ""


def test_what_loads_no_package_or_closes_all_files_has_no_lease(
    account: Account, tmp_path: Path
) -> None:
    """As docs/installation.md says."""
    made = account.run()
    assert at_rest(Path(f"{account.prefix}.d"))
    own = tmp_path / "own"
    subprocess.run([made["python"], "-m", "venv", "--without-pip", own], check=True)
    lease = str(lease_of(made["generation"]))
    stays = "print(1, flush=True); input()"
    closes = f"import os; os.closerange(3, 100); {stays}"  # as what makes itself a daemon does
    without = ([made["python"], "-S"], stays), ([own / "bin/python"], stays)
    for python, code in (*without, ([made["python"]], closes)):
        with running([*map(str, python), "-c", code]):
            assert asked("who", lease) == ""


def asked(*words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", host_shell.LEASES.read_text(), *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in ran.stderr
    return ran.stdout.strip()


def test_nothing_is_removed_while_somebody_unseen_has_a_lease(account: Account) -> None:
    made = account.run()
    assert at_rest(Path(f"{account.prefix}.d"))
    before = left(account)
    with running(member(made["generation"])) as hers:
        for check in (True, False):
            words = rf"process {hers.pid} of .* runs from .*rm {lease_of(made['generation'])}"
            with pytest.raises(TaskFailed, match=words):
                removed(account, check=check)
        assert left(account) == before
    assert removed(account)["changed"]
    assert left(account) == []


def test_a_lease_of_a_host_that_is_gone_is_ended_by_hand(account: Account) -> None:
    made = account.run()
    with running(member(made["generation"])):
        lease_of(made["generation"]).unlink()
        assert removed(account)["changed"]


def test_whoever_removes_has_the_lease_alone_meanwhile(tmp_path: Path) -> None:
    lease, tree, aside, marker = (tmp_path / name for name in ("lease", "tree", "aside", "marker"))
    lease.touch()
    marker.touch()
    tree.mkdir()
    with lease.open("r+") as other:
        fcntl.lockf(other, fcntl.LOCK_SH)
        ran = subprocess.run(
            aside_argv(lease, tree, aside, marker), check=False, capture_output=True
        )
        assert (ran.returncode, tree.exists(), marker.exists()) == (leases.HELD, True, True)
        assert f"process {os.getpid()} of".encode() in ran.stdout
    assert subprocess.run(aside_argv(lease, tree, aside, marker), check=False).returncode == 0
    assert (tree.exists(), aside.exists(), marker.exists()) == (False, True, False)


def aside_argv(*paths: Path) -> list[str]:
    program = host_shell.LEASES.read_text()
    return [sys.executable, "-I", "-S", "-c", program, "aside", *map(str, paths)]


def test_where_locks_do_not_work_it_says_that_nobody_can_know(tmp_path, monkeypatch) -> None:
    def without(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "lease").touch()
    monkeypatch.setattr(leases.fcntl, "lockf", without)
    paths = (str(tmp_path / name) for name in ("lease", "tree", "aside", "marker"))
    assert leases.aside(*paths) == leases.UNKNOWN


def test_a_link_in_the_place_of_a_lease_is_not_followed(account: Account, tmp_path: Path) -> None:
    first = account.run()["generation"]
    precious = tmp_path / "precious"
    precious.write_text("dear")
    lease_of(first).unlink()
    lease_of(first).symlink_to(precious)
    upgraded(account)
    upgraded(account, 3)
    assert Path(first).is_symlink(), "it tells nothing, so it keeps nothing"
    assert precious.read_text() == "dear"


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
def test_nobody_else_can_have_it_alone_or_write_to_it(account: Account) -> None:
    """Else she could shut the others out, or leave something for its owner to find."""
    made = account.run()
    argv = member(made["generation"])
    alone = HOLD.replace("LOCK_SH", "LOCK_EX")
    for program in (alone, alone.replace("open(sys.argv[1])", "open(sys.argv[1], 'r+')")):
        ran = subprocess.run(
            [program if word == HOLD else word for word in argv], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "held" not in ran.stdout
        assert "Bad file descriptor" in ran.stderr or "Permission denied" in ran.stderr


MOUNTS = {
    "server:/home {} nfs rw,vers=3,nolock,addr=10.0.0.1 0 0": True,
    "server:/home {} nfs rw,vers=3,local_lock=all 0 0": True,
    "server:/home {} nfs4 rw,vers=4.2,local_lock=none 0 0": False,
    "o2ib:/lustre {} lustre rw,localflock 0 0": True,
    "o2ib:/lustre {} lustre rw,flock,lazystatfs 0 0": False,
    "beegfs_nodev {} beegfs rw 0 0": True,
    "/dev/sda1 {} ext4 rw 0 0": False,
}


@pytest.mark.parametrize(("line", "blind"), MOUNTS.items())
def test_a_mount_whose_locks_other_hosts_do_not_see_is_known(tmp_path, line, blind) -> None:
    place = subprocess.run(["df", "-P", tmp_path], capture_output=True, text=True, check=True)
    (tmp_path / "mounts").write_text(line.format(place.stdout.split()[-1]) + "\n")
    prune = (SCRIPTS / "installation/prune.sh").read_text()
    program = f'{prune}\nmounts() {{ cat "$STORE/mounts"; }}\nhas_blind_locks'
    ran = subprocess.run(
        ["sh", "-c", program], env={**os.environ, "STORE": str(tmp_path)}, check=False
    )
    assert (ran.returncode == 0) is blind


def test_where_locks_are_blind_a_generation_stays_for_a_while(tmp_path) -> None:
    lease = tmp_path / ".lease-one"
    lease.touch()
    prune = (SCRIPTS / "installation/prune.sh").read_text()
    program = ["sh", "-c", f"{prune}\nis_recent one"]
    environment = {**os.environ, "LEASE_OF": f"{tmp_path}/.lease-"}
    assert subprocess.run(program, env=environment, check=False).returncode == 0
    os.utime(lease, (time.time() - 31 * 86400,) * 2)
    assert subprocess.run(program, env=environment, check=False).returncode == 1

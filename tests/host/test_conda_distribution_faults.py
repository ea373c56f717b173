"""What goes wrong during an installation: one clear line each, and the next run converges."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import conda_worker
from directly import at_rest, worker
from one_task import TaskFailed, command, environment
from small_distribution import installer, wheel
from test_conda_distribution import Account

pytest_plugins = ["test_conda_distribution"]


def converges(account: Account, **options: object) -> None:
    """Without anything being deleted by hand, and then there is nothing left to do."""
    account.served.instead = None
    made = account.run(**options)
    subprocess.run([made["python"], "-c", "import parcel"], check=True)
    assert account.run(**options)["changed"] is False
    assert at_rest(Path(f"{account.prefix}.d"))


@pytest.mark.parametrize(
    "end", ["echo no space left >&2; exit 1", "rm $prefix/bin/python*", "kill -9 $$"]
)
def test_a_failing_installer_leaves_nothing_live(account: Account, end: str) -> None:
    broken = account.served.publish("Broken.sh", installer(account.served.certificate, end=end))
    with pytest.raises(TaskFailed, match=r"anaconda\.d/logs/[0-9a-f]+\.log"):
        account.run(**broken)
    assert not account.prefix.is_symlink()
    converges(account)
    assert [path.name[:10] for path in Path(f"{account.prefix}.d").glob("miniforge-*")] == [
        "miniforge-"
    ]


@pytest.mark.fault("F46 bad pin")
def test_a_bad_package_leaves_the_live_installation_alone(account: Account) -> None:
    first = account.run()
    other = installer(account.served.certificate, end="exit 0 # other")
    published = account.served.publish("Third.sh", other)
    with pytest.raises(TaskFailed, match="installing the packages"):
        account.run(packages=["parcel>=99"], **published)
    assert account.run()["changed"] is False
    assert os.path.realpath(account.prefix) == first["generation"]


@pytest.mark.parametrize("character", ["'", '"', "$"])
def test_a_home_from_which_nothing_can_run_is_refused_before_anything(
    account: Account, character: str
) -> None:
    account.home = account.directory / f"o{character}brien"
    account.home.mkdir()
    with pytest.raises(TaskFailed, match=r"cannot run programs .* choose one outside of it"):
        account.run()
    assert account.everything() == []
    made = account.run(prefix=str(account.directory / "elsewhere"))
    subprocess.run([made["python"], "-c", "import parcel"], check=True)


FOREIGN = {
    "directory": lambda prefix: prefix.mkdir(),
    "file": lambda prefix: prefix.write_text("mine"),
    "link": lambda prefix: prefix.symlink_to("/usr"),
    "dangling": lambda prefix: prefix.symlink_to("/nonexistent/anaconda"),
}


@pytest.mark.fault("F28 dangling link")
@pytest.mark.parametrize("what", FOREIGN)
def test_what_somebody_else_made_is_left_alone(account: Account, what: str) -> None:
    FOREIGN[what](account.prefix)
    before = account.everything()
    for check in (True, False):
        with pytest.raises(TaskFailed, match=r"left alone.*anaconda_prefix.*mv "):
            account.run(check=check)
    assert account.everything() == before


def store(account: Account) -> Path:
    """A store of ours in which nothing is yet."""
    made = Path(f"{account.prefix}.d")
    made.mkdir()
    (made / ".hpcc-notebook-store").symlink_to("schema=1 id=0")
    return made


@pytest.mark.fault("F44 half a prefix")
def test_half_a_generation_without_marker_is_garbage(account: Account) -> None:
    name = f"miniforge-1.0-1-{account.options['sha256'][:12]}"
    half_done = store(account) / name
    (half_done / "bin").mkdir(parents=True)
    (half_done.parent / "markers").mkdir()
    (half_done.parent / f"markers/.begun-{name}").touch()
    (half_done / "bin/conda").write_text("#!/bin/sh\ntouch ~/executed\n")
    account.prefix.symlink_to(f"anaconda.d/{name}")
    converges(account)
    assert not (account.home / "executed").exists()


def test_a_lost_python_is_noticed(account: Account) -> None:
    made = account.run()
    for python in Path(made["generation"]).glob("bin/python*"):
        python.unlink()
    assert "damaged" in account.run(check=True)["reason"]
    converges(account)


def lock(account: Account, **changes: str) -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    record = {
        "run": "0",
        "host": os.uname().nodename,
        "boot": boot,
        "pid": "999999999",
        "group": "0",
    }
    record.update(
        {"start": "1", "uid": str(os.getuid()), "user": "alice", "since": "2026-01-01T00:00:00Z"}
    )
    (store(account) / "lock").symlink_to(
        " ".join(f"{key}={value}" for key, value in {**record, **changes}.items())
    )


@pytest.mark.fault("F41 stale lock")
@pytest.mark.parametrize("changes", [{}, {"pid": str(os.getpid())}, {"boot": "another"}])
def test_the_lock_of_a_dead_worker_is_taken_over(account: Account, changes: dict[str, str]) -> None:
    lock(account, **changes)
    converges(account)


def stat(pid: int) -> list[str]:
    """What the kernel says of a process behind the name of its program: its state, …, its start."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def test_the_lock_of_a_worker_whose_end_nobody_noted_is_taken_over(account: Account) -> None:
    with subprocess.Popen(["true"]) as zombie:
        while stat(zombie.pid)[0] != "Z":
            time.sleep(0.01)
        start_time = stat(zombie.pid)[19]
        lock(account, pid=str(zombie.pid), group=str(zombie.pid), start=start_time)
        converges(account)


def test_a_worker_that_has_removed_its_record_is_waited_for(account: Account) -> None:
    with subprocess.Popen(["sleep", "3"]) as busy:
        lock(account, pid=str(busy.pid), start=stat(busy.pid)[19])
        converges(account)
        assert busy.poll() is not None


@pytest.mark.fault("F42 lock of another host")
def test_the_lock_of_another_host_is_never_stolen(account: Account) -> None:
    lock(account, host="dev99")
    unlock = f"alice on dev99 .* since 2026-01-01.*rm {account.prefix}.d/lock"
    for check in (True, False):
        with pytest.raises(TaskFailed, match=unlock):
            account.run(check=check)
    subprocess.run(["rm", f"{account.prefix}.d/lock"], check=True)
    converges(account)


def test_a_holder_on_another_host_that_shows_no_life_is_not_waited_for_for_ever(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(account, host="dev99", run="0123456789ab")
    beat = Path(f"{account.prefix}.d/work/0123456789ab/beat")
    beat.parent.mkdir(parents=True)
    beat.touch()
    monkeypatch.setattr(conda_worker, "_SILENT", 2)
    with pytest.raises(TaskFailed, match=rf"no life for \d+ s.*rm {account.prefix}.d/lock"):
        account.run()


def gate(account: Account) -> Path:
    """The slow installer waits until this file is there."""
    return account.directory / "gate"


def slow(account: Account) -> dict[str, str]:
    waiting = installer(account.served.certificate, until=gate(account))
    return account.served.publish("Slow.sh", waiting)


def begin(account: Account, **options: object) -> subprocess.Popen[bytes]:
    """A run in the background."""
    argv = command(account.directory, account.task(**slow(account), **options))
    (account.directory / "ansible.cfg").touch()
    env = environment(account.directory, account.environment)
    process = subprocess.Popen(
        argv, env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    account.begun.append(process)
    return process


def start(account: Account, **options: object) -> subprocess.Popen[bytes]:
    """A run in the background, as soon as its worker runs the installer."""
    process = begin(account, **options)
    logs = Path(f"{account.prefix}.d/logs")
    deadline = time.monotonic() + 60
    while not any("== install" in path.read_text() for path in logs.glob("*.log")):
        assert time.monotonic() < deadline, "no installer is running"
        time.sleep(0.05)
    return process


@pytest.mark.fault("F37 signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_worker_outlives_the_controller_and_is_joined(account: Account, number: int) -> None:
    process = start(account)
    os.killpg(process.pid, number)
    process.wait()
    if number in (signal.SIGINT, signal.SIGTERM):
        said = process.communicate()[1].decode()
        assert "An installation that has begun goes on on the host" in said
        assert "run again to join it" in said
    second = begin(account)
    assert second.stderr
    assert any(b"joining the installation" in line for line in second.stderr)
    gate(account).touch()
    second.communicate()
    assert second.returncode == 0
    assert account.run(**slow(account))["changed"] is False
    assert len(list(Path(f"{account.prefix}.d/logs").iterdir())) == 1


def test_a_killed_worker_is_replaced_and_its_installer_ended(account: Account) -> None:
    process = start(account)
    store = Path(f"{account.prefix}.d")
    os.kill(worker(store), signal.SIGKILL)
    while len(list(store.glob("logs/*"))) < 2 and process.poll() is None:
        time.sleep(0.05)
    gate(account).touch()
    process.communicate()
    assert process.returncode == 0
    assert len(list(store.glob("logs/*"))) == 2
    assert len(list(store.glob("miniforge-*"))) == 1
    assert list(store.glob("trash/*")) == []


@pytest.mark.fault("F46 failing import")
def test_a_package_that_cannot_be_imported_does_not_become_live(account: Account) -> None:
    first = account.run()
    wheel(account.served.root, "broken", "1.0", "raise ImportError('it does not work here')")
    other = installer(account.served.certificate, end="exit 0 # broken")
    published = account.served.publish("Fourth.sh", other)
    with pytest.raises(TaskFailed, match=r"cannot import what was installed.*does not work here"):
        account.run(packages=["parcel>=2", "broken"], **published)
    assert account.run()["generation"] == first["generation"]

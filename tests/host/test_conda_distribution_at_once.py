"""Many runs at the same time: one works, the others join it or say who works."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from directly import worker
from one_task import TaskFailed, command, environment
from small_distribution import installer
from test_conda_distribution import Account
from test_conda_distribution_faults import converges, gate, slow, start

pytest_plugins = ["test_conda_distribution"]
RUNS = 20


@pytest.mark.fault("F39 twenty at once")
def test_twenty_runs_at_once_make_one_installation(account: Account) -> None:
    slow = account.served.publish("Slow.sh", installer(account.served.certificate, sleep=3))
    argv = command(account.directory, account.task(**slow))
    hosts = ",".join(f"name{number}" for number in range(RUNS))
    play = json.loads((account.directory / "play.yml").read_text())
    play[0]["hosts"] = "all"
    (account.directory / "play.yml").write_text(json.dumps(play))
    (account.directory / "ansible.cfg").touch()
    argv[argv.index("localhost,")] = f"{hosts},"
    done = subprocess.run(
        [*argv, "--forks", str(RUNS)],
        env=environment(account.directory, account.environment),
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("failed=0") == RUNS
    assert account.served.requests.count("/Slow.sh") == 1
    installed = [path.read_text() for path in Path(f"{account.prefix}.d/logs").glob("*.log")]
    assert sum("== install" in text for text in installed) == 1
    assert account.run(**slow)["changed"] is False


@pytest.mark.fault("F39 two hosts", "two nodes at once")
def test_a_run_from_another_host_of_the_home_waits_and_finds_it_done(
    account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    first = account.directory / "other-host"
    first.mkdir()
    (first / "uname").write_text('#!/bin/sh\n[ "$1" = -n ] && echo dev99 || exec /bin/uname "$@"\n')
    (first / "uname").chmod(0o755)
    process = start(account)
    opening = threading.Timer(3, gate(account).touch)
    opening.start()
    waited = account.run(env={"PATH": f"{first}:{os.environ['PATH']}"}, **slow(account))
    opening.join()
    process.communicate()
    assert process.returncode == 0
    said = capfd.readouterr().err
    assert re.search(
        rf"on {os.uname().nodename} \(process \d+\) has been working .* since 20", said
    )
    assert "waiting for its end" in said
    assert waited["python"] == f"{account.prefix}/bin/python"
    logs = [path.read_text() for path in Path(f"{account.prefix}.d/logs").glob("*.log")]
    assert sum("== install" in text for text in logs) == 1
    assert account.run(**slow(account))["changed"] is False


def test_a_store_that_another_run_makes_while_it_is_looked_at_is_ours(account: Account) -> None:
    store = Path(f"{account.prefix}.d")
    store.mkdir()  # the other run is just here
    goes_on = f"ln -s 'schema=1 id=1' {store}/.hpcc-notebook-store && mkdir {store}/markers"
    first = account.directory / "just-now"
    first.mkdir()
    (first / "find").write_text(
        f'#!/bin/sh\n[ "$1 $2" != "{store} -mindepth" ] || [ -d {store}/markers ] || '
        f"{{ {goes_on}; }}\n"
        'exec /usr/bin/find "$@"\n'
    )
    (first / "find").chmod(0o755)
    assert account.run(env={"PATH": f"{first}:{os.environ['PATH']}"})["changed"] is True
    assert (store / ".hpcc-notebook-store").readlink() == Path("schema=1 id=1")


def test_the_trial_of_another_run_makes_a_new_store_nobodys(account: Account) -> None:
    store = Path(f"{account.prefix}.d")
    trial = store / ".hpcc-trial-1764280000-4711"  # of one that is just trying, or was killed then
    trial.mkdir(parents=True)
    (trial / "trial").symlink_to(trial.name)
    (store / "thesis.tex").touch()
    with pytest.raises(TaskFailed, match="was not made by this collection"):
        account.run()
    (store / "thesis.tex").unlink()
    assert account.run()["changed"] is True
    assert trial.is_dir()  # the other one may be at work
    assert account.run(state="absent")["changed"] is True
    assert trial.is_dir()


def compiling(account: Account, program: str) -> None:
    """A run that has ended, but for its worker, which runs this instead of Python's compiler."""
    first = account.directory / "slow"
    first.mkdir()
    (first / "nice").write_text(f"#!/bin/sh\n{program}\n")
    (first / "nice").chmod(0o755)
    account.run(env={"PATH": f"{first}:{os.environ['PATH']}"})


def test_nobody_waits_for_compiling_and_its_end_is_no_loss(account: Account) -> None:
    compiling(account, "exec sleep 60")
    compiler = worker(Path(f"{account.prefix}.d"))
    assert account.run()["changed"] is False
    os.killpg(compiler, signal.SIGKILL)
    assert "cut off" in account.run()["reason"]
    converges(account)


def test_what_comes_next_waits_for_compiling(account: Account) -> None:
    compiling(account, "exec sleep 3")
    assert account.run(state="absent")["changed"] is True
    assert not Path(f"{account.prefix}.d").exists()


def test_what_comes_next_waits_for_the_helpers_of_the_compiler(account: Account) -> None:
    """Python's compiler leaves two, which end when they see that it has ended."""
    compiling(account, '"$1" -I -c "import time; time.sleep(4)" & exec true')
    assert account.run(state="absent")["changed"] is True
    assert not Path(f"{account.prefix}.d").exists()

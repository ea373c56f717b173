"""The successor of a job: one at most, after the job and never beside it, whoever is killed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import timestamp
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission, succession
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import (
    End,
    Noted,
    Submission,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from modules import ModuleFailed
from small_slurm import JobAccount, job_account

pytestmark = pytest.mark.timeout(600)  # several starts, on a machine that may be busy

RESOURCES = "walltime=02:00:00;mem=3gb"
ASKED: dict[str, Any] = {"resources": RESOURCES, "successor": True, "timeout": 120}
KILLS = 9


@pytest.fixture(scope="module")
def job(everybodys_python: str) -> Iterator[JobAccount]:
    with job_account(everybodys_python) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_before(job: JobAccount) -> Iterator[None]:
    yield
    job.run("stopped")
    assert alive(job) == []


def alive(job: JobAccount) -> list[str]:
    """The jobs that the scheduler has."""
    asked = (str(job.account.home / "programs" / "squeue"), f"--name={name(job)}")
    rows = (line.split("|") for line in job.account.run(*asked).splitlines())
    return sorted((row[0] for row in rows if row[1] in ("PENDING", "RUNNING")), key=int)


def name(job: JobAccount) -> str:
    layout = Layout(str(job.account.home), job.account.profile, "", job.account.uid)
    return submission.job_name(layout)


def record(job: JobAccount, which: str = "submission") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(job.submission.with_name(f"{which}.json").read_text())
    return found


def successor_file(job: JobAccount) -> Path:
    return job.submission.with_name("next.json")


def cancel(job: JobAccount, number: str) -> None:
    job.account.run(str(job.account.home / "programs" / "scancel"), number)


def began(job: JobAccount, number: str) -> bool:
    return (job.account.home / "slurm" / f"{number}.begun").exists()


def test_one_is_queued_however_often_it_is_asked_for(job: JobAccount) -> None:
    first = job.run("started", **ASKED)
    own, follows = alive(job)
    assert (first["job"], first["state"]) == (own, "started")
    again = job.account.finish(job.begin("started", **ASKED))
    assert (again["changed"], again["job"], again["successor"]) == (False, own, follows)
    assert alive(job) == [own, follows]
    found = job.run("found")
    assert (found["job"], found["successor"]) == (own, follows)
    assert found["successor_reason"] == "Dependency"
    same = ("asked", "walltime", "mem", "resources", "queue", "threads", "frontend", "idle")
    assert {n: record(job)[n] for n in same} == {n: record(job, "next")[n] for n in same}
    script = (job.account.home / "slurm" / f"{follows}.sh").read_text()
    own_script = (job.account.home / "slurm" / f"{own}.sh").read_text()
    dependency = f"#SBATCH --dependency=afterany:{own}"
    asked = [line for line in script.splitlines() if line.startswith("#SBATCH")]
    assert [line for line in asked if line != dependency] == [
        line for line in own_script.splitlines() if line.startswith("#SBATCH")
    ]
    assert dependency in asked


def test_a_stop_ends_both_and_the_successor_never_begins(job: JobAccount) -> None:
    job.run("started", **ASKED)
    own, follows = alive(job)
    answer = job.run("stopped")
    assert answer["stopped_by"] == f"job {follows} and job {own} have ended"
    assert not began(job, follows)
    assert not successor_file(job).exists()
    assert job.run("found")["reason"] == "ended: it was stopped on request"


def test_it_serves_as_the_job_before_it_did_when_that_has_ended(job: JobAccount) -> None:
    job.run("started", **ASKED)
    own, follows = alive(job)
    job.run("restarted", frontend="notebook", timeout=120)
    assert alive(job) == [own, follows], "a restart in the same job leaves the successor"
    before = json.loads(job.account.record.read_text())
    cancel(job, own)
    joined = job.run("started", timeout=120)
    assert (joined["job"], joined["state"], joined["successor"]) == (follows, "started", "")
    (path,) = (job.account.directory / "run").glob("*.json")
    serves = json.loads(path.read_text())
    assert (serves["job"], serves["frontend"]) == (follows, "notebook")
    assert serves["pid"] != before["pid"]
    assert not Path(f"/proc/{before['pid']}").exists()
    assert (record(job)["job"], successor_file(job).exists()) == (follows, False)
    job.account.finish(job.begin("started", **ASKED))
    assert alive(job)[0] == follows, "it gets a successor in its turn"
    assert len(alive(job)) == 2


def test_a_run_that_finds_the_job_gone_joins_the_successor_that_waits_still(
    job: JobAccount,
) -> None:
    job.account.finish(job.begin("started", **ASKED))
    own, follows = alive(job)
    full = job.account.home / "slurm" / f"{follows}.begun.full"
    full.touch()
    content = successor_file(job).read_bytes()
    cancel(job, own)
    seen = job.run("found")
    assert (seen["job"], seen["state"], seen["successor"]) == (follows, "waiting", "")
    answer = job.account.finish(job.begin("started", resources=RESOURCES, timeout=120))
    assert (answer["job"], answer["changed"], alive(job)) == (follows, False, [follows])
    assert (record(job)["job"], successor_file(job).exists()) == (follows, False)
    successor_file(job).write_bytes(content)  # as if that run had been killed before its end
    another = job.account.finish(job.begin("started", **ASKED))
    assert alive(job) == [follows, another["successor"]]
    full.unlink()
    assert job.run("started", timeout=120)["job"] == follows


def test_one_whose_submitter_was_killed_is_found_and_one_that_never_came_is_made_up_for(
    job: JobAccount,
) -> None:
    job.account.finish(job.begin("started", **ASKED))
    own, follows = alive(job)
    successor_file(job).write_text(json.dumps({**record(job, "next"), "job": ""}))
    assert job.run("found")["successor"] == follows
    again = job.account.finish(job.begin("started", **ASKED))
    assert (again["successor"], alive(job)) == (follows, [own, follows])
    assert record(job, "next")["job"] == follows
    cancel(job, follows)
    assert job.run("found")["successor"] == ""
    made = job.account.finish(job.begin("started", **ASKED))
    assert made["successor"] not in ("", own, follows)
    assert alive(job) == [own, made["successor"]]


def test_kills_at_any_instant_leave_no_job_without_its_record(job: JobAccount) -> None:
    dice = random.Random(7)
    for number in range(KILLS):
        begun = job.begin("started", **ASKED)
        time.sleep(dice.uniform(0.2, 3.0))
        begun.kill()
        begun.communicate()
        answer = job.account.finish(job.begin("started", **ASKED))
        assert alive(job) == sorted([answer["job"], answer["successor"]], key=int), number
        assert record(job)["job"] == answer["job"]
        assert record(job, "next")["job"] == answer["successor"]
        if number % 2:
            cancel(job, answer["successor"])
        if number % 3 == 2:
            job.run("stopped")


def test_a_refused_successor_costs_nothing_of_the_job(job: JobAccount) -> None:
    job.run("started", resources=RESOURCES, timeout=120)
    (own,) = alive(job)
    with job.refusing("sbatch"), pytest.raises(ModuleFailed) as failed:
        job.run("started", **ASKED)
    assert "Access/permission denied" in str(failed.value)
    assert str(failed.value).endswith(f"Job {own} stays as it is.")
    assert (alive(job), successor_file(job).exists()) == ([own], False)


def test_check_mode_says_what_would_be_queued_and_queues_nothing(job: JobAccount) -> None:
    for state in ("started", "restarted"):
        told = job.account.finish(job.begin(state, check=True, **ASKED))
        assert (told["changed"], told["successor_reason"]) == (True, "would be submitted")
    assert alive(job) == []
    job.account.finish(job.begin("started", **ASKED))
    told = job.account.finish(job.begin("started", check=True, **ASKED))
    assert (told["changed"], told["reason"]) == (False, "would be joined")


def test_a_restart_that_takes_another_job_keeps_a_successor(job: JobAccount) -> None:
    job.run("started", **ASKED)
    before = alive(job)
    job.run("restarted", resources="walltime=01:00:00", timeout=120)
    own, follows = alive(job)
    assert not {own, follows} & set(before)
    assert record(job)["walltime"] == record(job, "next")["walltime"] == 3600


def test_a_teardown_leaves_neither_a_job_nor_a_file(job: JobAccount) -> None:
    job.account.finish(job.begin("started", **ASKED))
    job.run("absent")
    assert (alive(job), job.submission.parent.exists()) == ([], False)


def test_a_teardown_takes_what_a_killed_job_left_half_written(job: JobAccount) -> None:
    job.run("started")
    (job.submission.parent / ".usage.json.0123456789abcdef.tmp").write_text("{")
    job.run("absent")
    assert not job.submission.parent.exists()


def test_a_teardown_outlasts_a_job_that_writes_until_it_is_gone(job: JobAccount) -> None:
    job.run("started")
    program = "import pathlib, sys, time; path = pathlib.Path(sys.argv[1]); end = time.time() + 5\n"
    program += "while time.time() < end and path.parent.exists(): path.write_text('')"
    argv = [sys.executable, "-c", program, str(job.submission.with_name("usage.json"))]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL):
        job.run("absent")
    assert not job.submission.parent.exists()


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(succession, "POLL", 0.01)
    found = Layout(str(tmp_path), "nbserver", "c1", 1001)
    Path(found.job).mkdir(parents=True)
    for path, mark, number in (
        (found.submission, "a", "5"),
        (submission.successor_path(found), "b", "6"),
    ):
        Path(path).write_bytes(submission.serialise(submitted(mark, number)))
    return found


def submitted(mark: str, number: str) -> Submission:
    return Submission(
        "n", mark, "slurm", number, "", 60, "00:01:00", "", "lab", [], 1, 0, False, 60,
        "dev1", "", 0, 0, "", "",
    )  # fmt: skip


def noted(layout: Layout, seconds_ago: float, mark: str = "a") -> None:
    measured = Noted(mark, timestamp(time.time() - seconds_ago), 0, 0, 0, 0, [])
    Path(submission.usage_path(layout)).write_bytes(submission.serialise(measured))


def ended(layout: Layout, mark: str) -> None:
    end = submission.serialise(End(mark, "x", ""))
    Path(submission.end_path(layout)).write_bytes(end)


@pytest.mark.parametrize(
    "left",
    [
        lambda _layout: None,  # it never ran
        lambda layout: noted(layout, 160),  # killed with its node
        lambda layout: noted(layout, 149),  # the same; a second later it is silent
        lambda layout: (noted(layout, 5), ended(layout, "a")),  # it ended in order
        lambda layout: noted(layout, 5, mark="c"),  # of a job that was long before
        lambda layout: Path(submission.usage_path(layout)).write_text("half of"),
    ],
)
def test_a_job_that_gives_no_sign_of_life_is_followed(layout: Layout, left: Any) -> None:
    left(layout)
    found = succession.of_this_job(layout, "b", "6")
    assert found == submitted("b", "6")
    assert succession.queued(layout) is None


def test_one_that_measures_again_is_not(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    noted(layout, 70)
    monkeypatch.setattr(succession.time, "sleep", lambda _seconds: noted(layout, 0))
    with pytest.raises(NotebookError, match="job 5 serves still, so job 6 ends"):
        succession.of_this_job(layout, "b", "6")
    assert succession.queued(layout) == submitted("b", "6")


def test_a_job_of_which_no_record_speaks_serves_nothing(layout: Layout) -> None:
    assert succession.of_this_job(layout, "c", "7") is None
    assert succession.of_this_job(layout, "a", "5") == submitted("a", "5")
    assert succession.queued(layout) == submitted("b", "6")

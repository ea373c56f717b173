"""A restart of a job that cannot succeed costs neither the job nor its server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from modules import ModuleFailed
from serving import instead, requests
from small_slurm import JobAccount, job_account
from waiting import eventually, nothing_left

pytestmark = pytest.mark.timeout(600)  # several starts, on a machine that may be busy

LEFT = "The server that runs was left as it is."
RESOURCES = "walltime=02:00:00;mem=3gb"
CONFIG = "jupyter_server_config.py"
UNKNOWN_OPTION = "c = get_config()\nc.ServerApp.no_such_trait = 1\n"
SLOW = "import time; time.sleep(30)\n"
FAILS_LATE = "import time; time.sleep(3)\noops\n"
IDLE = 999
# A trial is given no time after which it ends.
ENDS_AFTER_ITS_TRIAL = f"""
import sys
if "--ServerApp.shutdown_no_activity_timeout={IDLE}" in sys.argv: raise SystemExit(3)
"""
# Neither serves, whoever asks for it.
ONLY_A_TRIAL = """
import os
if not os.environ["JUPYTER_RUNTIME_DIR"].endswith("/trial"): raise SystemExit(3)
"""


@pytest.fixture(scope="module")
def job(everybodys_python: str) -> Iterator[JobAccount]:
    with job_account(everybodys_python) as found:
        found.run("started", resources=RESOURCES, timeout=120)
        yield found


def serves(job: JobAccount) -> dict[str, Any]:
    """The job and the server in it, as they are recorded."""
    server = json.loads(job.account.record.read_text())
    assert job.run("found")["state"] == "started"
    return {name: server[name] for name in ("job", "pid", "frontend")}


def recorded(job: JobAccount) -> dict[str, Any]:
    """What the job would serve if it were put back into the queue."""
    found = json.loads(job.submission.read_text())
    return {name: found[name] for name in ("job", "frontend", "modules", "idle")}


def refused(job: JobAccount, **params: Any) -> str:
    before, answer, said = job.submission.read_text(), {}, ""
    try:
        answer = job.run("restarted", **{"timeout": 120, **params})
    except ModuleFailed as failed:
        said = str(failed)
    assert said, {**answer, "invocation": "", "record before": before}
    assert "\n" not in said
    return said


def test_the_job_tells_what_it_uses_of_the_memory_that_was_asked_for(job: JobAccount) -> None:
    found = job.run("found")
    assert (found["kernels"], found["memory_limit"], found["near"]) == (0, 3 << 30, [])
    assert 30 << 20 < found["memory"] == found["memory_used"] < 3 << 30
    assert found["measured"].endswith("Z")
    given = Path(f"/proc/{serves(job)['pid']}/environ").read_text().split("\0")
    assert f"MEM_LIMIT={3 << 30}" in given, "where jupyter-resource-usage looks for it"


@pytest.mark.parametrize(
    ("content", "params", "words"),
    [
        (UNKNOWN_OPTION, {"frontend": "notebook"}, "not recognized by `ServerApp`"),
        ("raise SystemExit(3)\n", {}, "the server ended"),
        ("import time; time.sleep(9)\n", {"timeout": 2}, "within 2 seconds"),
        ("c = get_config()\nc.ServerApp.base_url = '/other/'\n", {}, "404 instead of 403"),
    ],
)
def test_a_server_that_cannot_serve_leaves_the_job_and_costs_no_request(
    job: JobAccount, content: str, params: dict[str, Any], words: str
) -> None:
    before, promised = serves(job), recorded(job)
    config = job.account.directory / CONFIG
    with requests(job.account) as asked, instead(job.account, config, content):
        said = refused(job, **params)
    assert words in said
    assert LEFT in said
    assert asked.failed == []
    assert (serves(job), recorded(job)) == (before, promised)
    assert not (job.account.local / "trial.sock").exists()


def test_one_that_fails_after_its_trial_brings_back_what_there_was(job: JobAccount) -> None:
    before, promised = serves(job), recorded(job)
    with instead(job.account, job.account.directory / CONFIG, ENDS_AFTER_ITS_TRIAL):
        said = refused(job, idle_shutdown=IDLE, frontend="notebook")
        assert "JupyterLab over a socket, 1 threads a kernel was started again instead." in said
        now = serves(job)
    assert now == {**before, "pid": now["pid"]}
    assert now["pid"] != before["pid"]
    assert recorded(job) == promised


def tries(job: JobAccount) -> Callable[[], bool]:
    """Whether another server is tried beside the one that serves."""
    return (job.account.local / "trial").exists


def killed_restart(job: JobAccount) -> None:
    """A restart that is killed while the job tries what was asked for."""
    begun = job.begin("restarted", frontend="notebook", timeout=120)
    eventually(tries(job), "that another one is tried")
    begun.kill()
    begun.communicate()


def test_a_restart_that_is_killed_before_it_signals_has_changed_nothing(job: JobAccount) -> None:
    before, promised = serves(job), recorded(job)
    running = set(job.account.processes())
    with job.refusing("scancel", after=5):
        begun = job.begin("restarted", frontend="notebook", timeout=120)
        eventually(job.submission.with_name("asked.json").exists, "that it asks")
        begun.kill()
        begun.communicate()
        nothing_left(lambda: set(job.account.processes()) - running, "the scheduler's command")
    assert (serves(job), recorded(job)) == (before, promised)


def test_a_job_that_cannot_leave_an_answer_serves_on(job: JobAccount) -> None:
    before, promised = serves(job), recorded(job)
    answer = job.submission.with_name("answer.json")
    answer.unlink(missing_ok=True)
    answer.mkdir()  # no file can be put there, as on a full disk
    with instead(job.account, job.account.directory / CONFIG, SLOW):
        refused(job, timeout=3)
        eventually(tries(job), "that another one is tried")
        eventually(lambda: not tries(job)(), "that it is given up")
    answer.rmdir()
    assert (serves(job), recorded(job)) == (before, promised)


def test_a_restart_that_is_killed_leaves_a_job_that_serves_as_recorded(job: JobAccount) -> None:
    before, promised = serves(job), recorded(job)
    with instead(job.account, job.account.directory / CONFIG, FAILS_LATE):
        killed_restart(job)
        assert recorded(job) == promised, "not before it has proved itself"
        eventually(lambda: not tries(job)(), "the end of the trial")
    assert (serves(job), recorded(job)) == (before, promised)


def test_an_answer_to_a_restart_that_was_killed_is_no_answer_to_the_next_one(
    job: JobAccount,
) -> None:
    before = serves(job)
    with instead(job.account, job.account.directory / CONFIG, FAILS_LATE):
        killed_restart(job)
        eventually(lambda: not tries(job)(), "the end of the trial")
    answer = job.run("restarted", timeout=120)
    now = serves(job)
    assert (answer["state"], now["frontend"]) == ("started", before["frontend"])
    assert (now["job"], now["pid"] != before["pid"]) == (before["job"], True)


def test_a_restart_while_another_one_changes_the_server_keeps_the_job(job: JobAccount) -> None:
    before, record = serves(job), job.account.record
    with instead(job.account, job.account.directory / CONFIG, "import time; time.sleep(2)\n"):
        killed_restart(job)
        eventually(lambda: not record.exists(), "the end of the server")
        job.run("restarted", timeout=120)
    now = serves(job)
    assert (now["job"], now["frontend"]) == (before["job"], before["frontend"])


def test_after_all_that_a_restart_that_can_succeed_keeps_the_job(job: JobAccount) -> None:
    before = serves(job)
    answer = job.run("restarted", frontend="notebook", timeout=120)
    assert (answer["state"], answer["job"]) == ("started", before["job"])
    now = serves(job)
    assert (now["job"], now["frontend"]) == (before["job"], "notebook")
    assert now["pid"] != before["pid"]


def test_where_a_restart_takes_another_job_the_new_server_is_tried_before_this_one_ends(
    job: JobAccount,
) -> None:
    before, config = serves(job), job.account.directory / CONFIG
    with job.refusing("scancel"), instead(job.account, config, UNKNOWN_OPTION):
        said = refused(job)
    assert "not recognized by `ServerApp`" in said
    assert LEFT in said
    with instead(job.account, config, UNKNOWN_OPTION):
        assert LEFT in refused(job, resources="walltime=01:00:00")
    assert serves(job) == before


def test_a_job_that_would_be_refused_is_known_before_this_one_ends(job: JobAccount) -> None:
    before = serves(job)
    with job.refusing("sbatch-test"):
        said = refused(job, resources="walltime=01:00:00")
        assert "slurm would refuse the job" in said
        assert "The job that there is was left as it is" in said
        told = job.run("restarted", resources="walltime=01:00:00", check=True)
        assert "Access/permission denied" in str(told["warnings"])
    assert serves(job) == before


def test_a_refused_submission_says_that_nothing_runs_now(job: JobAccount) -> None:
    number = serves(job)["job"]
    with job.refusing("sbatch"):
        said = refused(job, resources="walltime=01:00:00")
    assert said.endswith(f"Job {number} has ended, so nothing runs now.")
    assert "Access/permission denied" in said
    assert job.run("found")["state"] == "stopped"


def test_a_job_that_is_ended_during_a_trial_leaves_nothing_and_says_so(job: JobAccount) -> None:
    number = job.run("started", resources=RESOURCES, timeout=120)["job"]
    with instead(job.account, job.account.directory / CONFIG, SLOW):
        begun = job.begin("restarted", timeout=120)
        eventually(tries(job), "that another one is tried")
        job.account.run(str(job.account.home / "programs" / "scancel"), number)
        with pytest.raises(ModuleFailed) as failed:
            job.account.finish(begun)
    assert f"job {number} has ended: " in str(failed.value)
    assert job.account.ends_within(10)
    assert not job.account.local.exists()


def test_where_nothing_can_be_brought_back_the_job_ends_and_says_so(job: JobAccount) -> None:
    """The last test of this account: nothing runs after it."""
    number = job.run("started", resources=RESOURCES, timeout=120)["job"]
    with instead(job.account, job.account.directory / CONFIG, ONLY_A_TRIAL):
        said = refused(job)
    assert f"job {number} has ended: no server was started:" in said
    assert "did not start again either" in said
    assert said.endswith("Nothing runs now; start submits another job.")
    assert job.run("found")["state"] == "stopped"
    assert job.account.ends_within(30)

"""An end, an answer and silence are told apart, for the real commands of every scheduler."""

import sys

import pytest
from cluster_helper.cluster import ClusterView
from cluster_helper.commands import Commands
from cluster_helper.errors import ClusterError, JobGone
from cluster_helper.schedulers import DIALECTS
from cluster_helper.supervisor_client import Seen
from cluster_helper.workspace import Workspace
from test_sge import OTHERS, answer

PROGRAM = """\
#!{python} -IS
import sys
says = {says!r}
out, err, code = says.get("-x" if "-x" in sys.argv else "", says[""])
sys.stdout.write(out); sys.stderr.write(err); sys.exit(code)
"""
NO_HISTORY = ("", "qstat: PBS is not configured to maintain job history 39[].pbs\n", 0)
UNKNOWN = ("", "qstat: Unknown Job Id 39[].pbs\n", 153)
FINISHED = ("", "qstat: 37[].pbs Job has finished, use -x or -H to obtain historical job "
            "information\n", 35)  # fmt: skip
RECORD = ("Job Id: 37[1].pbs\n    job_state = X\n    Exit_status = -29\n", "", 0)
DOWN = ("", "Connection refused\nqstat: cannot connect to server pbs (errno=15010)\n", 255)


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Commands whose programs say this, with -x something else."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def made(name, says, with_x=None):
        for program in DIALECTS[name].programs:
            answers = {"": says, **({"-x": with_x} if with_x else {})}
            path = tmp_path / program
            path.write_text(PROGRAM.format(python=sys.executable, says=answers), encoding="utf-8")
            path.chmod(0o755)
        return Commands(DIALECTS[name])

    return made


@pytest.mark.parametrize(
    ("name", "says", "with_x"),
    [
        ("pbspro", UNKNOWN, NO_HISTORY), ("pbspro", UNKNOWN, UNKNOWN), ("torque", UNKNOWN, None),
        ("slurm", ("", "slurm_load_jobs error: Invalid job id specified\n", 1), None),
        ("lsf", ("", "Job <39> is not found\n", 255), None), ("sge", (answer(OTHERS), "", 0), None),
    ],
)  # fmt: skip
def test_a_job_that_is_not_known_any_more_has_ended(commands, name, says, with_x):
    with pytest.raises(JobGone):
        commands(name, says, with_x).tasks("39")


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("says", [("", "", 0), ("<html>busy", "", 0), DOWN, ("", "", 1)])
def test_an_answer_without_the_job_is_silence_and_no_end(commands, name, says):
    with pytest.raises(ClusterError, match="does not answer") as caught:
        commands(name, says, says).tasks("39")
    assert not isinstance(caught.value, JobGone)


def test_the_history_tells_how_a_finished_job_ended(commands):
    (task,) = commands("pbspro", FINISHED, RECORD).tasks("37[]")
    assert task.reason == "its walltime was reached"


@pytest.mark.parametrize(
    "says",
    [
        ("", "qdel: Unknown Job Id 40.pbs\n", 153), ("", "qdel: Job has finished 37[].pbs\n", 35),
        (RECORD[0], "qdel: Request invalid for state of job\n", 170),
    ],
)  # fmt: skip
def test_what_has_ended_needs_no_cancelling(commands, says):
    commands("torque", says).cancel("37[]")


def test_what_cannot_be_cancelled_is_told(commands):
    with pytest.raises(ClusterError, match=r"did not cancel job 37.*cannot connect"):
        commands("torque", DOWN).cancel("37[]")


class Refused:
    """The supervisor of a job that is refused a moment after somebody has looked."""

    gone = False

    def __init__(self):
        self.news = iter([Seen(), Seen(), Seen(refused="qsub: Unknown queue")])

    def wait(self, _seconds):
        return next(self.news)


def test_files_that_go_with_a_refused_job_hide_no_words(tmp_path):
    cluster = object.__new__(ClusterView)
    cluster._files, cluster._supervisor = Workspace(tmp_path / "gone"), Refused()
    with pytest.raises(ClusterError, match="the engines cannot start: qsub: Unknown queue"):
        cluster._connect()

"""Which scheduler is here, and what its answers mean. Answers are as documented or recorded."""

import pytest
from cluster_helper import schedulers
from cluster_helper.commands import environment
from cluster_helper.errors import ClusterError
from cluster_helper.progress import progress_bar
from cluster_helper.schedulers import DIALECTS, TORQUE_ON_SLURM
from cluster_helper.schedulers.dialect import ENDED, FAILED, RUNNING, WAITING, Task, with_walltime
from cluster_helper.site import Site, dask_options
from cluster_helper.supervisor_client import Seen
from test_sge import answer, listed

SLURM = ("sbatch", "squeue", "scancel")
TORQUE = ("qsub", "qstat", "qdel")


def which(*programs, at="/usr/bin"):
    return lambda name: f"{at}/{name}" if name in programs else None


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        (SLURM, "slurm"),
        ((*SLURM, *TORQUE), "slurm"),
        (TORQUE, "torque"),
        ((*TORQUE, "pbs_rstat"), "pbspro"),
        ((*TORQUE, "qconf"), "sge"),
        (("bsub", "bjobs", "bkill"), "lsf"),
    ],
)
def test_a_scheduler_is_found_by_its_programs(programs, found):
    assert schedulers.choose(None, which(*programs)).name == found


def test_no_scheduler_is_said_with_what_to_do():
    with pytest.raises(ClusterError, match=r"no scheduler is here.*run_local"):
        schedulers.choose(None, which())


def test_a_scheduler_that_is_named_but_not_here_is_refused_with_what_is():
    with pytest.raises(ClusterError, match="'lsf' is not here, bsub is not in PATH: found slurm"):
        schedulers.choose("lsf", which(*SLURM))


@pytest.mark.parametrize(("name", "meant"), [("slrum", "slurm"), ("Torque", "torque"), ("pbs", "")])
def test_an_unknown_scheduler_is_refused_with_a_guess(name, meant):
    with pytest.raises(ClusterError, match=rf"scheduler must be one of .*, got '{name}'.*{meant}"):
        schedulers.named(name)


def test_torques_commands_may_be_slurms():
    assert schedulers.choose("torque", which(*SLURM, *TORQUE)) is TORQUE_ON_SLURM
    assert schedulers.choose("torque", which(*TORQUE)).name == "torque"
    both = {"sbatch": "/slurm/bin/sbatch"}
    apart = schedulers.choose("torque", lambda name: both.get(name) or f"/torque/bin/{name}")
    assert apart.name == "torque"


@pytest.mark.parametrize(
    ("name", "printed", "job"),
    [
        ("slurm", "123\n", "123"),
        ("slurm", "123;big\n", "123"),
        ("slurm", "sbatch: error: no\n", None),
        ("torque", "123.server.example.org\n", "123"),
        ("torque", "123[].server\n", "123[]"),
        ("torque", "There was an error running the Slurm sbatch command.\n", None),
        ("pbspro", "qsub: warning\n77[].pbs\n", "77[]"),
        ("sge", "Warning: x\n9.1-5:1\n", "9"),
        ("lsf", "Job <42> is submitted to queue <normal>.\n", "42"),
        ("lsf", "normal: No such queue. Job not submitted.\n", None),
    ],
)
def test_the_id_of_a_new_job_is_found(name, printed, job):
    assert DIALECTS[name].job_id(printed) == job


TORQUE_ANSWER = """\
Job Id: 123[1].server
    Job_Name = engines-1
    job_state = R
Job Id: 123[2].server
    job_state = H
    comment = the job is
\tstuck
Job Id: 123[3].server
    job_state = C
    exit_status = 271
Job Id: 123[4].server
    job_state = Q
    comment = Not Running: Not enough free nodes
"""
PBSPRO_ANSWER = """\
Job Id: 7[].pbs
    job_state = B
Job Id: 7[1].pbs
    job_state = R
Job Id: 7[2].pbs
    job_state = Q
    comment = Can Never Run: not so many ncpus
Job Id: 7[3].pbs
    job_state = X
    Exit_status = 0
"""
SGE_ANSWER = answer(
    listed(9, "r", 1, "main@c1"), listed(9, "qw", 2), listed(9, "hqw", 3), listed(9, "Eqw", 4),
    listed(10, "r", 1, "main@c1"),
)  # fmt: skip
SLURM_ANSWER = """\
1|RUNNING|None
2|PENDING|Priority
3|PENDING|JobHeldUser
4|PENDING|PartitionDown
5|TIMEOUT|TimeLimit
6|COMPLETING|None
7|PENDING|PartitionConfig
8|PENDING|ReqNodeNotAvail, UnavailableNodes:c[1-2]
"""
LSF_ANSWER = "1|RUN|-|-\n2|PEND|-|Job slot limit reached\n3|EXIT|TERM_RUNLIMIT|-\n4|PSUSP|-|held\n"


@pytest.mark.parametrize(
    ("name", "job", "printed", "states"),
    [
        ("torque", "123[]", TORQUE_ANSWER, [RUNNING, FAILED, ENDED, WAITING]),
        ("pbspro", "7[]", PBSPRO_ANSWER, [RUNNING, FAILED, ENDED]),
        ("sge", "9", SGE_ANSWER, [RUNNING, WAITING, FAILED, FAILED]),
        (
            "slurm",
            "1",
            SLURM_ANSWER,
            [RUNNING, WAITING, FAILED, FAILED, ENDED, RUNNING, FAILED, WAITING],
        ),
        ("lsf", "1", LSF_ANSWER, [RUNNING, WAITING, ENDED, FAILED]),
    ],
)
def test_every_task_is_seen_with_its_state(name, job, printed, states):
    tasks = DIALECTS[name].tasks(job, printed)
    assert [task.number for task in tasks] == list(range(1, len(states) + 1))
    assert [task.state for task in tasks] == states


@pytest.mark.parametrize(
    ("name", "job", "printed", "number", "reason"),
    [
        ("torque", "123[]", TORQUE_ANSWER, 2, "the job isstuck"),
        ("torque", "123[]", TORQUE_ANSWER, 3, "exit status 271 (signal 15)"),
        ("pbspro", "7[]", PBSPRO_ANSWER, 2, "Can Never Run: not so many ncpus"),
        ("pbspro", "7[]", PBSPRO_ANSWER, 3, "exit status 0"),
        ("slurm", "1", SLURM_ANSWER, 3, "JobHeldUser"),
        ("slurm", "1", SLURM_ANSWER, 5, "TIMEOUT"),
        ("lsf", "1", LSF_ANSWER, 2, "Job slot limit reached"),
        ("lsf", "1", LSF_ANSWER, 3, "TERM_RUNLIMIT"),
    ],
)
def test_the_reason_is_the_schedulers_own(name, job, printed, number, reason):
    assert DIALECTS[name].tasks(job, printed)[number - 1].reason == reason


def test_an_error_of_grid_engine_comes_before_the_schedulers_thoughts():
    thoughts = 'job_number: 9\nscheduling info:            queue instance "main@c1" dropped\n'
    error = "error reason    1:          11/24/2026 20:00:00 [1001:7]: can't chdir to /x\n"
    assert DIALECTS["sge"].reason(thoughts) == 'queue instance "main@c1" dropped'
    assert DIALECTS["sge"].reason(thoughts + error) == "can't chdir to /x"


def seen(*events):
    state = Seen()
    for event in events:
        state = state.after(event)
    return state


def tasks(*states, reason="", why=""):
    rows = [{"number": n, "state": s, "reason": reason} for n, s in enumerate(states, 1)]
    return {"event": "tasks", "tasks": rows, "why": why}


def test_a_start_is_hopeless_only_when_no_engine_can_come():
    assert seen(tasks(WAITING, FAILED, reason="x")).hopeless() == ""
    assert seen(tasks(RUNNING, ENDED)).hopeless() == ""
    assert seen(tasks(FAILED, FAILED, reason="JobHeldUser")).hopeless() == "JobHeldUser"
    assert seen(tasks(FAILED, why="no such queue")).hopeless() == "no such queue"
    assert seen(tasks(ENDED)).hopeless() == "every engine's job has ended"
    assert seen({"event": "refused", "reason": "no"}).hopeless() == "no"
    assert seen({"event": "submitted", "job": "1"}).hopeless() == ""


def test_a_scheduler_that_answers_again_is_no_longer_silent():
    quiet = {"event": "silent", "reason": "no answer"}
    assert seen(quiet).silent == "no answer"
    assert seen(quiet, tasks(RUNNING)).silent == ""
    assert seen(tasks(RUNNING)).tasks == (Task(1, RUNNING),)


def test_a_command_of_the_scheduler_sees_nothing_private():
    given = {"HOME": "/h", "PATH": "/x", "TOKEN": "secret", "SSH_AUTH_SOCK": "/s", "LANG": "C",
             "SLURM_JOB_ID": "7", "SBATCH_ACCOUNT": "lab", "LD_LIBRARY_PATH": "/l"}  # fmt: skip
    left = environment(DIALECTS["slurm"].settings, given, "/opt/slurm/bin/sbatch")
    path = "/opt/slurm/bin:/usr/local/bin:/usr/bin:/bin"
    assert left == {"HOME": "/h", "LANG": "C", "SBATCH_ACCOUNT": "lab", "PATH": path}


def test_the_same_defaults_serve_dask():
    site = Site(queue="main", account="lab", walltime="04:00:00", address="ib0")
    assert dask_options(site) == {
        "queue": "main", "account": "lab", "walltime": "04:00:00", "interface": "ib0",
    }  # fmt: skip
    assert dask_options(Site(address="10.0.0.7")) == {}


def test_a_task_that_ended_when_its_time_was_over_says_so():
    tasks = [Task(1, ENDED), Task(2, ENDED), Task(3, ENDED, "signal 9"), Task(4, RUNNING)]
    ran = {1: 31.0, 2: 12.0, 3: 31.0}
    timed = with_walltime(tasks, ran, 30)
    assert timed == [Task(1, ENDED, "its walltime of 00:00:30 was reached"), *tasks[1:]]
    assert with_walltime(tasks, ran, None) == tasks


def test_the_bar_says_why_as_long_as_engines_are_missing():
    assert progress_bar(2, 4, "Priority") == "[############            ] 2 of 4 engines  Priority"
    assert progress_bar(4, 4, "Priority") == "[########################] 4 of 4 engines"

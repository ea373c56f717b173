"""A notebook's one job is found by its name.

Recorded from Slurm 22.05, Grid Engine 8.1.9 and OpenPBS 23.06.
What LSF prints is what its documentation says.
"""

import re
import subprocess
from datetime import datetime

import pytest
from cluster_helper import script
from cluster_helper.commands import Commands
from cluster_helper.errors import ClusterError
from cluster_helper.job import Job
from cluster_helper.resources import Resources
from cluster_helper.schedulers import DIALECTS, TORQUE_ON_SLURM, lsf, pbs, sge, slurm
from cluster_helper.schedulers.dialect import ENDED, FAILED, RUNNING, WAITING, NamedJob

NAME = "nbserver-75b744"
BEGUN = datetime(2026, 11, 26, 7, 23, 46).timestamp()
JOB = Job(
    name=NAME,
    count=0,
    command=["/opt/python", "-I", "/home/ann/a b.py"],
    directory="/",
    path="/opt",
    log="/home/ann/job.log",
    resources=Resources(walltime=600, mem=500),
)


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        (
            "1|RUNNING|None|c1|2026-11-26T07:23:46",
            NamedJob("1", RUNNING, "RUNNING", node="c1", begun=BEGUN),
        ),
        ("1|RUNNING|None|c1|N/A", NamedJob("1", RUNNING, "RUNNING", node="c1")),
        ("5|PENDING|Resources||N/A", NamedJob("5", WAITING, "Resources")),
        (
            "5|PENDING|Resources||2026-11-26T07:33:49",
            NamedJob("5", WAITING, "Resources", expected="2026-11-26T07:33:49"),
        ),
        ("7|PENDING|JobHeldUser||N/A", NamedJob("7", FAILED, "JobHeldUser", held=True)),
        (
            "7|PENDING|job requeued in held state||N/A",
            NamedJob("7", FAILED, "job requeued in held state", held=True),
        ),
        (
            "7|PENDING|job_requeued_in_special_exit_state||N/A",
            NamedJob("7", FAILED, "job_requeued_in_special_exit_state", held=True),
        ),
        ("7|SPECIAL_EXIT|None||N/A", NamedJob("7", FAILED, "SPECIAL_EXIT", held=True)),
        ("7|REQUEUE_HOLD|None||N/A", NamedJob("7", FAILED, "REQUEUE_HOLD", held=True)),
        ("7|RESV_DEL_HOLD|None||N/A", NamedJob("7", FAILED, "RESV_DEL_HOLD", held=True)),
        ("7|REQUEUE_FED|None||N/A", NamedJob("7", WAITING)),
        ("7|PENDING|PartitionTimeLimit||N/A", NamedJob("7", FAILED, "PartitionTimeLimit")),
        (
            "8|TIMEOUT|TimeLimit|c1|2026-11-26T07:23:46",
            NamedJob("8", ENDED, "TIMEOUT", node="c1"),
        ),
        (
            "8|CANCELLED|None|c1|2026-11-26T07:23:46",
            NamedJob("8", ENDED, "CANCELLED", node="c1"),
        ),
    ],
)
def test_slurm_says_what_a_job_of_this_name_does(printed, found):
    assert slurm.named_jobs(NAME, f"{printed}\n") == [found]


@pytest.mark.parametrize(
    ("state", "stalled"),
    [
        ("RESIZING", ""),
        ("SIGNALING", ""),
        ("STAGE_OUT", ""),
        ("STOPPED", "STOPPED"),
        ("SUSPENDED", "SUSPENDED"),
    ],
)
def test_of_slurm_what_has_its_node_has_not_ended(state, stalled):
    (found,) = slurm.named_jobs(NAME, f"1|{state}|None|c1|2026-11-26T07:23:46\n")
    assert found == NamedJob("1", RUNNING, state, node="c1", stalled=stalled, begun=BEGUN)


def test_what_is_no_line_of_a_job_is_passed_by():
    noise = "slurm_load_jobs error: x\n||||\nCLUSTER: hpcc\n\n"
    assert slurm.named_jobs(NAME, noise) == []


def listed(number, state, name, where=""):
    return f"""
    <job_list state="running">
      <JB_job_number>{number}</JB_job_number>
      <JB_name>{name}</JB_name>
      <state>{state}</state>
      <queue_name>{where}</queue_name>
      <slots>2</slots>
    </job_list>"""


def test_grid_engine_lists_those_of_this_name_and_no_other():
    printed = "".join(
        [
            listed(1, "r", NAME, "main@c2.inner.example"),
            listed(2, "qw", NAME),
            listed(3, "hqw", NAME),
            listed(4, "Eqw", NAME),
            listed(5, "r", "engines", "main@c1"),
            listed(6, "hr", NAME, "main@c1"),
            listed(7, "hRwq", NAME),
            listed(8, "t", NAME, "main@c1"),
            *(listed(9, state, NAME, "main@c1") for state in ("s", "S", "T", "Rs", "hS")),
            listed(10, "qwS", NAME),
        ]
    )
    assert sge.named_jobs(NAME, printed) == [
        NamedJob("1", RUNNING, node="c2"),
        NamedJob("2", WAITING),
        NamedJob("3", FAILED, "held", held=True),
        NamedJob("4", FAILED, "in error"),
        NamedJob("6", RUNNING, node="c1"),
        NamedJob("7", FAILED, "held", held=True),
        NamedJob("8", RUNNING, node="c1"),
        *(
            NamedJob("9", RUNNING, node="c1", stalled=state)
            for state in ("s", "S", "T", "Rs", "hS")
        ),
        NamedJob("10", WAITING),
    ]


def test_grid_engine_tells_when_a_run_began():
    since = "<JAT_start_time>2026-11-26T07:23:46</JAT_start_time><slots>"
    printed = listed(1, "r", NAME, "main@c1").replace("<slots>", since)
    assert sge.named_jobs(NAME, printed) == [NamedJob("1", RUNNING, node="c1", begun=BEGUN)]


LSF_WAITS = "New job is waiting for scheduling"
LSF_HELD = "The job was suspended by the user while pending"
LSF_OVER = "TERM_RUNLIMIT: job killed after reaching LSF run time limit"
PBS_JOB = """Job Id: 38.pbs
    Job_Name = {name}
    Job_Owner = ann@dev1.x.edu
    job_state = {state}
    exec_host = {host}
    comment = {comment}
{more}
"""


def pbs_block(state, comment="", host="", more="", name=NAME):
    return PBS_JOB.format(name=name, state=state, comment=comment, host=host, more=more)


@pytest.mark.parametrize("dialect", ["pbspro", "torque"])
@pytest.mark.parametrize(
    ("printed", "found"),
    [
        (
            pbs_block("R", "Job run at Thu", "c1/0*4"),
            NamedJob("38", RUNNING, "Job run at Thu", node="c1"),
        ),
        (pbs_block("U", "x", "c1/0*4"), NamedJob("38", RUNNING, "x", node="c1", stalled="U")),
        (pbs_block("S", "x", "c1/0*4"), NamedJob("38", RUNNING, "x", node="c1", stalled="S")),
        (pbs_block("T", "x"), NamedJob("38", WAITING, "x")),
        (pbs_block("R", "x", "c1.x.edu/0+c1.x.edu/1"), NamedJob("38", RUNNING, "x", node="c1")),
        (
            pbs_block("Q", "Not Running: Insufficient amount of resource: ncpus"),
            NamedJob("38", WAITING, "Not Running: Insufficient amount of resource: ncpus"),
        ),
        (
            pbs_block("Q", "Not Running: x", more="    estimated.start_time = Thu Jul 18 12:00"),
            NamedJob("38", WAITING, "Not Running: x", expected="Thu Jul 18 12:00"),
        ),
        (
            pbs_block("Q", "Can Never Run: not enough of resource: mem (R: 900gb\n\t)"),
            NamedJob("38", FAILED, "Can Never Run: not enough of resource: mem (R: 900gb)"),
        ),
        (
            pbs_block("H", "Job held by ann on Thu", more="    Hold_Types = u"),
            NamedJob("38", FAILED, "Job held by ann on Thu", held=True),
        ),
        (pbs_block("F", more="    Exit_status = -29"), None),
    ],
)
def test_pbs_and_torque_say_what_a_job_of_this_name_does(dialect, printed, found):
    (seen,) = DIALECTS[dialect].named_jobs(NAME, printed)
    assert found is None or seen == found
    assert found is not None or seen.state == ENDED


def test_of_a_walltime_each_of_them_has_its_own_number():
    ended = pbs_block("F", more="    Exit_status = -29")
    assert DIALECTS["pbspro"].named_jobs(NAME, ended)[0].reason == "its walltime was reached"
    ended = pbs_block("C", more="    exit_status = -11")
    assert DIALECTS["torque"].named_jobs(NAME, ended)[0].reason == "its walltime was reached"


def test_what_has_another_name_is_not_counted():
    assert DIALECTS["pbspro"].named_jobs(NAME, pbs_block("R", name="other")) == []


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("101|PEND|-|-|" + LSF_WAITS, NamedJob("101", WAITING, LSF_WAITS)),
        ("101|RUN|4*c1.x.edu|-|-", NamedJob("101", RUNNING, node="c1")),
        ("101|RUN|c1:c2|-|-", NamedJob("101", RUNNING, node="c1")),
        *(
            (f"101|{state}|c1|-|-", NamedJob("101", RUNNING, node="c1", stalled=state))
            for state in ("USUSP", "SSUSP", "UNKWN")
        ),
        (f"101|PSUSP|-|-|{LSF_HELD}", NamedJob("101", FAILED, LSF_HELD, held=True)),
        (f"101|EXIT|c1|{LSF_OVER}|-", NamedJob("101", ENDED, LSF_OVER)),
    ],
)
def test_lsf_says_what_a_job_of_this_name_does(printed, found):
    assert lsf.named_jobs(NAME, f"{printed}\nnoise\n") == [found]


OWN = {
    "slurm": "$SLURM_JOB_ID",
    "sge": "$JOB_ID",
    "lsf": "$LSB_JOBID",
    "pbspro": "${PBS_JOBID%%.*}",
    "torque": "${PBS_JOBID%%.*}",
}


@pytest.mark.parametrize(("name", "own"), OWN.items())
def test_such_a_job_is_no_array_and_knows_its_id(name, own):
    text = script.render(DIALECTS[name], JOB)
    assert f"""exec /opt/python -I '/home/ann/a b.py' "{own}"\n""" in text
    assert "exec > /home/ann/job.log 2>&1\n" in text
    assert not re.search(r"array|-t 1-|-J 1-|\[1-|--task ", text)


@pytest.mark.parametrize("own", ["38.pbs", "38.pbs.x.edu", "38"])
def test_the_id_in_a_job_is_the_one_that_submitting_gave(own):
    said = subprocess.run(
        ["sh", "-c", f'echo "{OWN["pbspro"]}"'],
        env={"PBS_JOBID": own}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "38\n"
    assert pbs.job_id(f"{own}\n") == "38"


def test_every_scheduler_finds_a_job_by_its_name():
    assert {name for name, dialect in DIALECTS.items() if dialect.named} == set(OWN)


def commands(tmp_path, dialect, **programs):
    """Commands of a scheduler that answer what was recorded."""
    for name, text in programs.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return Commands(DIALECTS[dialect])


def test_without_a_job_pbs_is_asked_nothing_more(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert commands(tmp_path, "pbspro", qselect=":", qstat="exit 7").named(NAME) == []


WARNED = "slurm_load_jobs: warning: 1 of 2 answered\nbjobs: this host is busy\n\n"
ANSWERS = {
    "slurm": f"{WARNED}38|RUNNING|None|c1|2026-11-26T07:23:46",
    "sge": f"{WARNED}<job_info>{listed(38, 'r', NAME, 'main@c1')}</job_info>",
    "lsf": f"{WARNED}38|RUN|c1|-|-",
    "pbspro": WARNED + pbs_block("R", host="c1/0"),
    "torque": WARNED + pbs_block("R", host="c1/0"),
}
PROGRAMS = {"slurm": "squeue", "lsf": "bjobs"}  # the others: qstat


@pytest.mark.parametrize("dialect", ANSWERS)
@pytest.mark.parametrize("stream", ["1", "2"])
def test_what_a_command_warns_of_before_its_answer_is_passed_by(
    tmp_path, monkeypatch, dialect, stream
):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    answer = ANSWERS[dialect].replace(WARNED, WARNED if stream == "1" else "")
    (tmp_path / "answer").write_text(answer)
    warns = f"cat >&{stream} <<'.'\n{WARNED}."
    program = PROGRAMS.get(dialect, "qstat")
    says = {program: f"echo 'it warns' >&{stream}\ncat {tmp_path}/answer"}
    if program == "qstat":
        # Whoever took a word of a warning for an id would ask for a job of that name.
        says["qselect"] = f"{warns}\necho 38.pbs"
        says["qstat"] = f'case "$*" in *warning*) exit 1;; esac\n{says["qstat"]}'
    (found,) = commands(tmp_path, dialect, **says).named(NAME)
    assert (found.job, found.state, found.node) == ("38", RUNNING, "c1")


SUBMITTED = {
    "sbatch": ("slurm", "38"),
    "sbatch of a site": ("slurm", "Submitted batch job 38"),
    "qsub -terse": ("sge", "38"),
    "bsub": ("lsf", "Job <38> is submitted to queue <main>."),
    "qsub": ("pbspro", "38.pbs"),
    "torque's": ("torque", "38.pbs.x.edu"),
}


@pytest.mark.parametrize(("dialect", "said"), SUBMITTED.values(), ids=SUBMITTED)
def test_the_id_is_read_below_a_warning(tmp_path, monkeypatch, dialect, said):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    warning = "sbatch: Warning: can't honor --ntasks-per-node set to 4"
    path = tmp_path / "job.sh"
    path.write_text(script.render(DIALECTS[dialect], JOB))
    says = f'echo "{warning}" >&2\necho "{warning}"\necho \'{said}\''
    program = DIALECTS[dialect].submit[0]
    assert commands(tmp_path, dialect, **{program: says}).submit(path) == "38"


@pytest.mark.parametrize("several", ["a,b", "all"])
@pytest.mark.parametrize("dialect", [DIALECTS["slurm"], TORQUE_ON_SLURM], ids=lambda d: d.name)
def test_where_a_number_may_mean_two_jobs_no_command_of_slurm_is_given(
    tmp_path, monkeypatch, dialect, several
):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    given = tmp_path / "given"
    says = dict.fromkeys(("sbatch", "qsub", "squeue", "scancel"), f"echo 38 | tee -a {given}")
    commands(tmp_path, "slurm", **says)
    path = tmp_path / "job.sh"
    path.write_text(script.render(dialect, JOB))
    asked = Commands(dialect)
    monkeypatch.setenv("SLURM_CLUSTERS", several)
    for ask in (
        lambda: asked.submit(path),
        lambda: asked.named(NAME),
        lambda: asked.cancel("38"),
    ):
        with pytest.raises(ClusterError, match=r"names several clusters .*; choose one: export"):
            ask()
    assert not given.exists()
    monkeypatch.setenv("SLURM_CLUSTERS", "b")
    assert asked.submit(path) == "38"


def test_a_job_that_ends_between_two_questions_is_gone(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    gone = "echo 'qstat: Unknown Job Id 38.pbs' >&2; exit 153"
    assert commands(tmp_path, "pbspro", qselect="echo 38.pbs", qstat=gone).named(NAME) == []


def test_a_server_that_is_down_is_no_answer(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    down = "echo 'cannot connect to server pbs (errno=15010)' >&2; exit 255"
    for found in ({"qselect": down}, {"qselect": "echo 38.pbs", "qstat": down}):
        with pytest.raises(ClusterError, match="cannot connect to server pbs"):
            commands(tmp_path, "pbspro", **found).named(NAME)


def test_lsf_without_such_a_job_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    none = f"echo 'Job <{NAME}> is not found' >&2; exit 255"
    assert commands(tmp_path, "lsf", bjobs=none).named(NAME) == []

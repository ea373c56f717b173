"""A notebook's one job is found by its name; recorded from Slurm 22.05 and Grid Engine 8.1.9."""

import pytest
from cluster_helper import script
from cluster_helper.job import Job
from cluster_helper.resources import Resources
from cluster_helper.schedulers import DIALECTS, sge, slurm
from cluster_helper.schedulers.dialect import ENDED, FAILED, RUNNING, WAITING, NamedJob

NAME = "nbserver-75b744"
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
        ("1|RUNNING|None|c1|2026-11-26T07:23:46", NamedJob("1", RUNNING, "RUNNING", node="c1")),
        ("5|PENDING|Resources||N/A", NamedJob("5", WAITING, "Resources")),
        (
            "5|PENDING|Resources||2026-11-26T07:33:49",
            NamedJob("5", WAITING, "Resources", expected="2026-11-26T07:33:49"),
        ),
        ("7|PENDING|JobHeldUser||N/A", NamedJob("7", FAILED, "JobHeldUser", held=True)),
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
        ]
    )
    assert sge.named_jobs(NAME, printed) == [
        NamedJob("1", RUNNING, node="c2"),
        NamedJob("2", WAITING),
        NamedJob("3", FAILED, "held", held=True),
        NamedJob("4", FAILED, "in error"),
    ]


@pytest.mark.parametrize(("name", "own"), [("slurm", "$SLURM_JOB_ID"), ("sge", "$JOB_ID")])
def test_such_a_job_is_no_array_and_knows_its_id(name, own):
    text = script.render(DIALECTS[name], JOB)
    assert f"""exec /opt/python -I '/home/ann/a b.py' "{own}"\n""" in text
    assert "exec > /home/ann/job.log 2>&1\n" in text
    assert "array" not in text
    assert "-t 1-" not in text
    assert "--task " not in text


def test_a_scheduler_that_finds_no_job_by_its_name_is_refused_for_this():
    able = {name for name, dialect in DIALECTS.items() if dialect.named}
    assert able == {"slurm", "sge"}
    assert all(DIALECTS[name].own_id for name in able)

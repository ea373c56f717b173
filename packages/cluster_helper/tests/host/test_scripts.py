"""Job scripts of every scheduler: what they say, and that no value becomes another line.

Those of PBS Pro and LSF are checked against their documented formats only: neither can be had here.
"""

import random
import shlex
import subprocess
from dataclasses import replace

import pytest
from cluster_helper import request, script
from cluster_helper.errors import ClusterError
from cluster_helper.job import Job
from cluster_helper.resources import Resources
from cluster_helper.schedulers import DIALECTS
from cluster_helper.site import Site

ASKED = Resources(walltime=5400, mem=1000, account="lab")
JOB = Job(
    name="engines", count=5, command=["/p y/python", "-m", "x"], directory="/home/al ice",
    path="/opt/bin", log="/home/alice/log/engine-", resources=ASKED, cores=2, queue="main",
)  # fmt: skip

DIRECTIVES = {
    "slurm": [
        "--job-name=engines", "--ntasks=1", "--cpus-per-task=2", "--output=/dev/null",
        "--no-requeue", "--array=1-5", "--partition=main", "--time=01:30:00", "--mem=1000M",
        "--account=lab",
    ],
    "torque": [
        "-N engines", "-S /bin/sh", "-j oe", "-o /dev/null", "-r n", "-t 1-5", "-q main",
        "-A lab", "-l nodes=1:ppn=2", "-l walltime=01:30:00", "-l mem=1000mb",
    ],
    "pbspro": [
        "-N engines", "-S /bin/sh", "-j oe", "-o /dev/null", "-J 1-5", "-q main", "-A lab",
        "-l select=1:ncpus=2:mem=1000mb", "-l walltime=01:30:00",
    ],
    "sge": [
        "-N engines", "-S /bin/sh", "-j y", "-o /dev/null", "-r n", "-t 1-5", "-q main",
        "-A lab", "-pe smp 2", "-l h_rt=01:30:00", "-l mem_free=500M",
    ],
    "lsf": [
        "-J engines[1-5]", "-o /dev/null", "-env none", "-rn", "-n 2", "-R span[hosts=1]",
        "-q main", "-P lab", "-W 01:30", "-M 1000MB", "-R rusage[mem=500MB]",
    ],
}  # fmt: skip


def directives(name, job):
    prefix = DIALECTS[name].prefix
    lines = script.render(DIALECTS[name], job).splitlines()
    return [line[len(prefix) + 1 :] for line in lines if line.startswith(prefix)]


AFTER = {
    "slurm": "--dependency=afterany:7",
    "torque": "-W depend=afterany:7",
    "pbspro": "-W depend=afterany:7",
    "sge": "-hold_jid 7",
    "lsf": '-w "ended(7)"',
}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_job_that_follows_another_one_says_so_and_is_the_same_otherwise(name):
    asked = directives(name, replace(JOB, after="7"))
    assert asked == [*DIRECTIVES[name], AFTER[name]]
    assert script.render(DIALECTS[name], replace(JOB, after="")) == script.render(
        DIALECTS[name], JOB
    )


def test_a_scheduler_without_a_word_for_that_begins_no_job_beside_the_other():
    unable = replace(DIALECTS["slurm"], after=None)
    with pytest.raises(ClusterError, match="slurm cannot have a job wait for the end of another"):
        script.render(unable, replace(JOB, after="7"))


@pytest.mark.parametrize("name", DIALECTS)
def test_each_scheduler_is_told_the_same_in_its_own_words(name):
    assert directives(name, JOB) == DIRECTIVES[name]


@pytest.mark.parametrize("name", DIALECTS)
def test_nothing_that_was_not_asked_for_is_said(name):
    words = " ".join(directives(name, replace(JOB, resources=Resources(), queue=None, cores=1)))
    for word in ("walltime", "time=", "h_rt", "-W", "mem", "-M", "-A", "-q", "account", "-V"):
        assert word not in words


@pytest.mark.parametrize("name", DIALECTS)
def test_the_environment_is_not_exported(name):
    text = script.render(DIALECTS[name], JOB)
    assert " -V" not in text
    assert "--export=ALL" not in text


def test_a_single_engine_of_pbs_pro_is_no_array():
    assert not any(line.startswith("-J") for line in directives("pbspro", replace(JOB, count=1)))


@pytest.mark.parametrize(
    ("name", "resource", "value"),
    [
        ("lsf", "qos", "x"), ("lsf", "project", "x"), ("sge", "qos", "x"),
        ("sge", "feature", "x"), ("pbspro", "qos", "x"), ("pbspro", "feature", "x"),
        ("torque", "project", "x"), ("slurm", "project", "x"),
    ],
)  # fmt: skip
def test_what_a_scheduler_has_no_word_for_is_refused_by_name(name, resource, value):
    job = replace(JOB, resources=Resources(**{resource: value}))
    with pytest.raises(ClusterError, match=f"{name} cannot express the resource '{resource}'"):
        script.render(DIALECTS[name], job)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("resource", sorted({r for d in DIALECTS.values() for r in d.resources}))
def test_what_a_scheduler_has_a_word_for_is_said(name, resource):
    value = {"walltime": 77 * 60, "mem": 777, "gpus": 7}.get(resource, "seven")
    if resource in DIALECTS[name].resources:
        job = replace(JOB, resources=Resources(**{resource: value}), cores=1)
        plain = replace(JOB, resources=Resources(), cores=1)
        assert set(directives(name, job)) - set(directives(name, plain))


@pytest.mark.parametrize("name", DIALECTS)
def test_the_shell_runs_the_engine_with_its_number(tmp_path, name):
    show = tmp_path / "sh ow"
    show.write_text('#!/bin/sh\necho "$PWD|$*|$PATH"\n', encoding="utf-8")
    show.chmod(0o755)
    work = tmp_path / "wo'rk $HOME"
    work.mkdir()
    job = replace(JOB, command=[str(show), "a b", "$(id)"], directory=str(work),
                  log=f"{tmp_path}/log-")  # fmt: skip
    variable = DIALECTS[name].task.split(":")[0].strip("${")
    subprocess.run(["sh", "-c", script.render(DIALECTS[name], job)], check=True,
                   env={variable: "3", "PATH": "/bin"})  # fmt: skip
    text = (tmp_path / "log-3.log").read_text(encoding="utf-8")
    assert text == f"{work}|a b $(id) --task 3|/opt/bin:/bin\n"


CASES = 10_000
SEED = random.SystemRandom().randrange(10**9)
_WORDS = """
a main 01:00:00 64mb lab 2 $(id) `id` ${IFS} ' " \\ ; & | # #PBS #SBATCH #$ #BSUB -V -x %j = , ü ~
"""
_BREAKS = ["\n", "\r", "\0", "\x1b", "\x85", "\u2028", " ", "\t", "\n#PBS -V", "\nrm -rf ~\n"]
PIECES = [*_WORDS.split(), *_BREAKS]
SHELL = ["task=", "case", "mask=", "exec >", "umask", "export PATH", "cd --", "exec"]


def hostile(dice):
    """A few pieces put together; now and then a harmless one alone."""
    return "".join(dice.choices(PIECES, k=dice.choice([1, 1, 1, 2, 3, 5])))


def expected_lines(name, job):
    """As many as with harmless values."""
    plain = replace(job, directory="/d", path="/p", log="/l", command=["c"])
    return len(script.render(DIALECTS[name], plain).splitlines())


def outcomes(case):
    """Run the cases; gives how many were accepted and how many refused."""
    dice = random.Random(SEED)
    counts = {True: 0, False: 0}
    for _number in range(CASES):
        try:
            case(dice)
        except ClusterError:
            counts[False] += 1
        else:
            counts[True] += 1
    return counts


def one_script(dice):
    name = dice.choice(sorted(DIALECTS))
    directory, log, path = (f"/{hostile(dice)}" for _each in range(3))
    command = ["/bin/echo", hostile(dice), hostile(dice)]
    job = Job("engines", 3, command, directory, path, log)
    text = script.render(DIALECTS[name], job)
    lines = text.splitlines()
    body = lines[lines.index("") + 1 :]
    assert text.count("\n") == len(lines) == expected_lines(name, job), (SEED, job)
    assert [line.startswith(start) for line, start in zip(body, SHELL, strict=True)] == [True] * 8
    assert shlex.split(body[-1])[1:-2] == command, (SEED, job)
    assert shlex.split(body[-2])[2] == directory, (SEED, job)


@pytest.mark.threat(25)
def test_no_text_becomes_another_line():
    counts = outcomes(one_script)
    assert min(counts.values()) > CASES / 20, "cases that are all refused prove nothing"


def one_request(dice):
    name = dice.choice(sorted(DIALECTS))
    keys = dice.sample(["walltime", "mem", "account", "qos", "feature", "gpus"], k=2)
    good = {"walltime": "01:00:00", "mem": "64mb", "gpus": "2"}
    harmless = [good.get(key, "lab") for key in keys]
    pairs = [
        f"{k}={dice.choice([hostile(dice), v, v])}" for k, v in zip(keys, harmless, strict=True)
    ]
    queue, tag = (dice.choice([hostile(dice), "main"]) for _each in range(2))
    extra = {"resources": dice.choice([pairs, ";".join(pairs)]), "tag": tag}
    wanted = request.read(Site(), name, queue, 2, 1, None, 1, extra, None, False, False)
    job = replace(JOB, name=wanted.name, queue=queue, resources=wanted.resources, cores=1)
    found = directives(name, job)
    plain = directives(name, replace(job, resources=Resources()))
    asked = len(wanted.resources.asked())
    assert len(plain) <= len(found) <= len(plain) + asked + 1, (SEED, job)
    assert all(line.startswith("-") and len(line.split()) <= 2 for line in found), (SEED, job)
    assert not any({"-V", "rm"} & set(line.split()) for line in found), (SEED, job)


def test_no_value_becomes_another_option():
    counts = outcomes(one_request)
    assert min(counts.values()) > CASES / 20, "cases that are all refused prove nothing"

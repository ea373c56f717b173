"""What a call says wins over the person's variables and files of defaults, for real commands."""

import json
import sys
from pathlib import Path

import pytest
from cluster_helper import request
from cluster_helper.commands import Commands, environment, matches
from cluster_helper.plan import Plan
from cluster_helper.schedulers import DIALECTS, TORQUE_ON_SLURM
from cluster_helper.schedulers.dialect import beaten_variables
from cluster_helper.site import Site
from cluster_helper.workspace import Workspace

SHOW = """\
#!{python} -IS
import json, os, sys
json.dump([sys.argv, dict(os.environ)], open({seen!r}, "w"))
print({said!r})
"""
SAID = {"slurm": "17", "torque": "17[].x", "pbspro": "17[].x", "sge": "17.1-2:1",
        "lsf": "Job <17> is submitted to queue <main>."}  # fmt: skip
VARIABLES = {
    "SBATCH_ACCOUNT": "other", "SBATCH_TIMELIMIT": "5", "SBATCH_PARTITION": "other",
    "SBATCH_JOB_NAME": "other", "SBATCH_ARRAY_INX": "1-1", "SBATCH_MEM_PER_CPU": "1",
    "SBATCH_WAIT": "1", "SBATCH_OUTPUT": "/tmp/x", "SBATCH_QOS": "low", "SBATCH_RESERVATION": "r",
    "SBATCH_CONSTRAINT": "old", "SBATCH_GRES": "gpu:9", "SBATCH_GPUS": "9",
    "SBATCH_EXPORT": "NONE", "SBATCH_GET_USER_ENV": "1", "SBATCH_MEM_PER_NODE": "1",
    "SBATCH_CPUS_PER_TASK": "9", "SBATCH_NTASKS_PER_NODE": "9", "SBATCH_CLUSTERS": "elsewhere",
    "SLURM_CLUSTERS": "here",
}  # fmt: skip


@pytest.fixture
def submitted(tmp_path, monkeypatch):
    """What the scheduler's own program sees of a call: its words and variables."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "bin").mkdir()

    def submit(name, queue="main", **resources):
        dialect = DIALECTS[name]
        for program in dialect.programs:
            path = tmp_path / "bin" / program
            seen = str(tmp_path / "seen")
            text = SHOW.format(python=sys.executable, seen=seen, said=SAID[name])
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        wanted = request.read(Site(address="127.0.0.1"), name, queue, 2, 1, None, 1,
                              {"resources": [f"{k}={v}" for k, v in resources.items()]}, None,
                              False, False)  # fmt: skip
        plan = Plan(wanted, Site(address="127.0.0.1"))
        files = Workspace(tmp_path)
        (tmp_path / "security").mkdir(exist_ok=True)
        files.script.write_text(plan.script(files), encoding="utf-8")
        assert Commands(dialect).submit(files.script, plan.beaten(files)).startswith("17")
        return json.loads((tmp_path / "seen").read_text(encoding="utf-8"))

    return submit


def test_no_variable_of_slurm_wins_over_what_the_call_says(submitted):
    _argv, seen = submitted("slurm", account="mine", mem="64mb", walltime="01:00:00")
    left = {name for name in seen if name.startswith("SBATCH_")}
    assert left == {"SBATCH_QOS", "SBATCH_RESERVATION", "SBATCH_CONSTRAINT", "SBATCH_GRES",
                    "SBATCH_GPUS"}, "what was not said is the person's to say"  # fmt: skip
    assert seen["SLURM_CLUSTERS"] == "here", "which squeue and scancel obey, too"


@pytest.mark.parametrize(
    ("said", "beaten"),
    [
        ({"qos": "short"}, ["SBATCH_QOS"]), ({"feature": "intel18"}, ["SBATCH_CONSTRAINT"]),
        ({"gpus": "1"}, ["SBATCH_GRES", "SBATCH_GPUS"]), ({"account": "x"}, ["SBATCH_ACCOUNT"]),
    ],
)  # fmt: skip
def test_each_directive_beats_its_own_variable_only(submitted, said, beaten):
    _argv, nothing = submitted("slurm", queue=None)
    _argv, seen = submitted("slurm", queue=None, **said)
    assert sorted(nothing.keys() - seen.keys()) == sorted(beaten)
    assert seen["SBATCH_PARTITION"] == "other"


def test_torques_commands_on_slurm_obey_the_same_variables():
    wanted = request.read(Site(), "torque", "main", 2, 1, None, 1,
                          {"resources": "account=mine"}, None, False, False)  # fmt: skip
    plan = object.__new__(Plan)
    plan.wanted, plan.site, plan.profile = wanted, Site(), None
    beaten = beaten_variables(TORQUE_ON_SLURM, plan.job(Workspace(Path("/w"))))
    assert all(matches(name, beaten) for name in ("SBATCH_ACCOUNT", "SBATCH_PARTITION"))


def test_grid_engine_is_told_on_the_command_line_which_beats_the_persons_files(submitted):
    argv, _seen = submitted("sge", account="mine", walltime="01:00:00")
    words = " ".join(argv[1:])
    for said in ("-t 1-2", "-N engines", "-q main", "-A mine", "-l h_rt=01:00:00", "-b n",
                 "-C #$", "-r n"):  # fmt: skip
        assert said in words
    assert argv[-1].endswith("-job.sh")


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("pbspro", {"PBS_DPREFIX": "#X", "PBS_O_QUEUE": "q", "PBS_ARRAY_INDEX": "3"}),
        ("torque", {"PBS_DPREFIX": "#X", "PBS_JOBID": "1", "PBS_ARRAYID": "3"}),
        ("lsf", {"LSB_JOBINDEX": "3", "LSB_HOSTS": "x", "BSUB_QUIET": "1", "LSB_SUB_QUEUE": "x"}),
        ("sge", {"SGE_TASK_ID": "3", "SGE_QSTAT": "x", "SGE_LONG_QNAMES": "1", "QUEUE": "x"}),
        ("slurm", {"SLURM_ARRAY_TASK_ID": "3", "SQUEUE_FORMAT": "%x", "SQUEUE_STATES": "PD",
                   "SLURM_TIME_FORMAT": "x", "SLURM_JOB_PARTITION": "x"}),
    ],
)  # fmt: skip
def test_variables_that_change_how_a_scheduler_reads_or_speaks_never_reach_it(name, variables):
    assert environment(DIALECTS[name].settings, variables, "/bin/x").keys() == {"PATH"}

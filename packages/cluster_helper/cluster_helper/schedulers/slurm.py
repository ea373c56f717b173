"""Slurm: sbatch, squeue, scancel. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cluster_helper import units
from cluster_helper.job import Job
from cluster_helper.schedulers.dialect import (
    ENDED,
    FAILED,
    RUNNING,
    WAITING,
    Dialect,
    NamedJob,
    Task,
    local_moment,
)
from cluster_helper.schedulers.person import person

_STATES = {
    "PENDING": WAITING, "CONFIGURING": WAITING, "REQUEUED": WAITING, "RUNNING": RUNNING,
    "COMPLETING": RUNNING, "SUSPENDED": RUNNING, "RESIZING": RUNNING, "SIGNALING": RUNNING,
    "STAGE_OUT": RUNNING, "STOPPED": RUNNING, "REQUEUE_FED": WAITING, "REQUEUE_HOLD": FAILED,
    "RESV_DEL_HOLD": FAILED, "SPECIAL_EXIT": FAILED,
}  # fmt: skip
_STALLED = ("SUSPENDED", "STOPPED")
# Reasons of a pending job that waiting does not change.
_HOPELESS = re.compile(
    r"AccountNotAllowed|BadConstraints|DependencyNeverSatisfied|Invalid(Account|QOS)|JobHeld\w+|"
    r"Partition(Config|Down|Inactive|NodeLimit|TimeLimit)|QOSNotAllowed|"
    r"launch.failed.requeued.held|job.requeued.in.(held|special.exit).state|"
    r"(QOS|Assoc)Max\w+PerJobLimit"
)
# What somebody can let go.
_HELD = re.compile(r"held|hold|special.exit", re.IGNORECASE)


def directives(job: Job) -> list[str]:
    """The options of sbatch.

    It passes its own environment on, of which our submission leaves nothing but the essentials;
    `--export=NONE` would instead make every node run the person's login scripts first.
    """
    asked = job.resources
    lines = [f"--job-name={job.name}", "--ntasks=1", f"--cpus-per-task={job.cores}"]
    lines += ["--output=/dev/null", "--no-requeue"]
    lines += [f"--array=1-{job.count}"] if job.count else []
    lines += [f"--partition={job.queue}"] if job.queue else []
    lines += [f"--time={units.clock(asked.walltime)}"] if asked.walltime else []
    lines += [f"--mem={asked.mem}M"] if asked.mem else []
    lines += [f"--account={asked.account}"] if asked.account else []
    lines += [f"--qos={asked.qos}"] if asked.qos else []
    lines += [f"--constraint={asked.feature}"] if asked.feature else []
    lines += [f"--gres=gpu:{asked.gpus}"] if asked.gpus else []
    return lines


def job_id(printed: str) -> str | None:
    """From `sbatch --parsable`: 123, or 123;cluster; a site's own sbatch may not pass that on."""
    form = r"^(?:Submitted batch job )?(\d+)(?:;\S+| on cluster \S+)?$"
    match = re.search(form, printed, re.MULTILINE)
    return match[1] if match else None


def query(job: str) -> list[str]:
    """The state of every task, those that ended a moment ago included."""
    return ["squeue", "--noheader", "--array", "--states=all", f"--jobs={job}", "--format=%K|%T|%r"]


def tasks(_job: str, printed: str) -> list[Task]:
    """One line each: number, state, reason."""
    matches = (re.fullmatch(r"(\d+)\|(\w+)\|(.*)", line.strip()) for line in printed.splitlines())
    return [_task(int(match[1]), match[2], match[3]) for match in matches if match]


def _task(number: int, state: str, reason: str) -> Task:
    kind = _STATES.get(state, ENDED)
    if kind == WAITING and _HOPELESS.fullmatch(reason):
        kind = FAILED
    words = reason if reason != "None" else state if kind == FAILED else ""
    return Task(number, kind, words if kind in (WAITING, FAILED) else state)


def named(name: str) -> list[str]:
    """The person's jobs of this name, those that ended a moment ago included."""
    return ["squeue", "--noheader", f"--user={person()}", f"--name={name}", "--states=all",
            "--format=%A|%T|%r|%N|%S"]  # fmt: skip


def named_jobs(_name: str, printed: str) -> list[NamedJob]:
    """One line each: id, state, reason, node, start, which is an expected one while it waits."""
    rows = (line.strip().split("|") for line in printed.splitlines())
    return [_named_job(*row) for row in rows if len(row) == 5 and row[0].isdigit()]


def _named_job(job: str, state: str, reason: str, node: str, start: str) -> NamedJob:
    task = _task(1, state, reason)
    held = task.state == FAILED and bool(_HELD.search(f"{state} {reason}"))
    expected = start if task.state == WAITING and start != "N/A" else ""
    stalled = state if state in _STALLED else ""
    begun = local_moment(start) if task.state == RUNNING else 0.0
    return NamedJob(job, task.state, task.reason, held, node, expected, stalled, begun)


# Variables win over the lines of a script, and nobody sees it.
BEATEN = {
    "": ("SBATCH_JOB_NAME", "SBATCH_ARRAY_INX", "SBATCH_OUTPUT", "SBATCH_ERROR", "SBATCH_INPUT",
         "SBATCH_REQUEUE", "SBATCH_NO_REQUEUE", "SBATCH_CPUS_PER_TASK", "SBATCH_NTASKS*",
         "SBATCH_NODES", "SBATCH_WAIT", "SBATCH_TEST_ONLY", "SBATCH_EXPORT", "SBATCH_GET_USER_ENV",
         "SBATCH_CLUSTERS"),  # where no other command of Slurm would look for the job
    "queue": ("SBATCH_PARTITION",),
    "walltime": ("SBATCH_TIMELIMIT",),
    "account": ("SBATCH_ACCOUNT",),
    "qos": ("SBATCH_QOS",),
    "feature": ("SBATCH_CONSTRAINT",),
    "mem": ("SBATCH_MEM_PER_*",),
    "gpus": ("SBATCH_GRES", "SBATCH_GPUS*"),
}  # fmt: skip


def unclear(environment: Mapping[str, str]) -> str:
    """Numbers count on each cluster: `scancel 123` would end the 123 of every one that is named."""
    clusters = environment.get("SLURM_CLUSTERS", "")
    if clusters != "all" and "," not in clusters:
        return ""
    several = f"SLURM_CLUSTERS names several clusters ({clusters})"
    return f"{several}; choose one: export SLURM_CLUSTERS=…"


DIALECT = Dialect(
    name="slurm",
    title="Slurm",
    programs=("sbatch", "squeue", "scancel"),
    prefix="#SBATCH",
    task="${SLURM_ARRAY_TASK_ID:-1}",
    resources=frozenset({"walltime", "mem", "account", "qos", "feature", "gpus"}),
    directives=directives,
    submit=("sbatch", "--parsable"),
    verify=("sbatch", "--test-only"),
    job_id=job_id,
    cancel=lambda job: ["scancel", job],
    query=query,
    tasks=tasks,
    named=named,
    own_id="$SLURM_JOB_ID",
    named_jobs=named_jobs,
    terminate=lambda job: ["scancel", "--batch", "--signal=TERM", job],
    signal=lambda job, number: ["scancel", "--batch", f"--signal={number}", job],
    forgotten=("Invalid job id specified",),
    after=lambda job: [f"--dependency=afterany:{job}"],
    days=True,
    settings=("SLURM_CONF", "SLURM_CLUSTERS", "SBATCH_*"),
    beaten=BEATEN,
    unclear=unclear,
)

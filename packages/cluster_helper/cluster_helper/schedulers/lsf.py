"""LSF: bsub, bjobs, bkill. Pure."""

from __future__ import annotations

import re

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
)

_STATES = {"PEND": WAITING, "PROV": WAITING, "WAIT": WAITING, "RUN": RUNNING, "USUSP": RUNNING,
           "SSUSP": RUNNING, "UNKWN": RUNNING, "PSUSP": FAILED}  # fmt: skip
_STALLED = ("USUSP", "SSUSP", "UNKWN")  # the last one: its node does not answer


def directives(job: Job) -> list[str]:
    """The options of bsub. It exports everything unless told otherwise."""
    asked = job.resources
    name = f"{job.name}[1-{job.count}]" if job.count else job.name
    lines = [f"-J {name}", "-o /dev/null", "-env none", "-rn"]
    lines += [f"-n {job.cores}", "-R span[hosts=1]"]
    lines += [f"-q {job.queue}"] if job.queue else []
    lines += [f"-P {asked.account}"] if asked.account else []
    lines += [f"-W {units.clock_minutes(asked.walltime)}"] if asked.walltime else []
    # The limit counts for the whole job, the reservation on most sites for each core.
    lines += [f"-M {asked.mem}MB"] if asked.mem else []
    lines += [f"-R rusage[mem={-(-asked.mem // job.cores)}MB]"] if asked.mem else []
    lines += [f"-R select[{asked.feature}]"] if asked.feature else []
    lines += [f"-gpu num={asked.gpus}"] if asked.gpus else []
    return lines


def job_id(printed: str) -> str | None:
    """Job <123> is submitted to queue <main>."""
    match = re.search(r"^Job <(\d+)> is submitted", printed, re.MULTILINE)
    return match[1] if match else None


def query(job: str) -> list[str]:
    """Number, state and reason of every task."""
    columns = "jobindex stat exit_reason pend_reason delimiter='|'"
    return ["bjobs", "-a", "-noheader", "-o", columns, job]


def tasks(_job: str, printed: str) -> list[Task]:
    """One line each: number, state, why it ended, why it waits."""
    rows = (line.split("|") for line in printed.splitlines())
    return [_task(*row) for row in rows if len(row) == 4 and row[0].strip().isdigit()]


def _task(number: str, state: str, ended: str, waits: str) -> Task:
    kind = _STATES.get(state.strip(), ENDED)
    reason = waits if kind in (WAITING, FAILED) else ended
    return Task(int(number), kind, "" if reason.strip() == "-" else reason.strip())


def named(name: str) -> list[str]:
    """The person's jobs of this name, those that ended a moment ago included."""
    columns = "jobid stat exec_host exit_reason pend_reason delimiter='|'"
    return ["bjobs", "-a", "-noheader", "-J", name, "-o", columns]


def named_jobs(_name: str, printed: str) -> list[NamedJob]:
    """One line each: id, state, hosts, why it ended, why it waits."""
    rows = ([part.strip() for part in line.split("|")] for line in printed.splitlines())
    return [_named_job(*row) for row in rows if len(row) == 5 and row[0].isdigit()]


def _named_job(job: str, state: str, hosts: str, ended: str, waits: str) -> NamedJob:
    task = _task("1", state, ended, waits)
    host = re.fullmatch(r"(?:\d+\*)?([^:.\s]+).*", hosts)
    node = host[1] if host and task.state == RUNNING else ""
    stalled = state if state in _STALLED else ""
    return NamedJob(job, task.state, task.reason, state == "PSUSP", node, stalled=stalled)


DIALECT = Dialect(
    name="lsf",
    title="LSF",
    programs=("bsub", "bjobs", "bkill"),
    prefix="#BSUB",
    task="${LSB_JOBINDEX:-1}",
    resources=frozenset({"walltime", "mem", "account", "feature", "gpus"}),
    directives=directives,
    submit=("bsub",),
    job_id=job_id,
    cancel=lambda job: ["bkill", job],
    query=query,
    tasks=tasks,
    named=named,
    named_jobs=named_jobs,
    own_id="$LSB_JOBID",
    forgotten=("is not found",),
    after=lambda job: [f'-w "ended({job})"'],
    stdin=True,
    settings=("LSF_*", "LSB_DEFAULT*", "EGO_*", "XLSF_*"),
)

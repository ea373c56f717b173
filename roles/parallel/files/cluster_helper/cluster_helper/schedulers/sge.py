"""Grid Engine (Sun, Son of, Univa, Altair): qsub -t, qstat, qdel. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cluster_helper import units
from cluster_helper.job import Job
from cluster_helper.schedulers.dialect import FAILED, RUNNING, WAITING, Dialect, Task


def directives(job: Job) -> list[str]:
    """The options of qsub. Without -V nothing of the environment goes along."""
    asked = job.resources
    lines = [f"-N {job.name}", "-S /bin/sh", "-j y", "-o /dev/null", "-r n", f"-t 1-{job.count}"]
    lines += [f"-q {job.queue}"] if job.queue else []
    lines += [f"-A {asked.account}"] if asked.account else []
    lines += [f"-P {asked.project}"] if asked.project else []
    lines += [f"-pe {job.parallel_environment} {job.cores}"] if job.cores > 1 else []
    lines += [f"-l h_rt={units.clock(asked.walltime)}"] if asked.walltime else []
    # Requests count for each slot, and a job has one for each core.
    lines += [f"-l mem_free={-(-asked.mem // job.cores)}M"] if asked.mem else []
    lines += [f"-l gpu={asked.gpus}"] if asked.gpus else []
    return lines


def job_id(printed: str) -> str | None:
    """From `qsub -terse`: 123.1-5:1; warnings may stand before it."""
    match = re.search(r"^(\d+)(\.\S+)?$", printed, re.MULTILINE)
    return match[1] if match else None


def tasks(job: str, printed: str) -> list[Task]:
    """The lines of this job in `qstat -g d`; what has ended is no longer there."""
    rows = (line.split() for line in printed.splitlines())
    return [task for row in rows if len(row) >= 7 and row[0] == job for task in _tasks(row)]


def _tasks(row: list[str]) -> Iterator[Task]:
    state = row[4]
    kind = FAILED if "h" in state or "E" in state else WAITING if "q" in state else RUNNING
    reason = "held" if "h" in state else "in error" if "E" in state else ""
    if row[-1].isdigit():
        yield Task(int(row[-1]), kind, reason)


def reason(printed: str) -> str:
    """Why it does not run, from `qstat -j`: what is said of this job, not of every queue."""
    found = re.findall(r"^(?:error reason\s+\d+|scheduling info):\s+(.+)$", printed, re.MULTILINE)
    return re.sub(r"^\S+ \S+ \[\d+:\d+\]: ", "", found[0]) if found else ""


DIALECT = Dialect(
    name="sge",
    programs=("qsub", "qstat", "qdel", "qconf"),
    prefix="#$",
    task="${SGE_TASK_ID:-1}",
    resources=frozenset({"walltime", "mem", "account", "project", "gpus"}),
    directives=directives,
    submit=("qsub", "-terse"),
    job_id=job_id,
    cancel=lambda job: ["qdel", job],
    query=lambda _job: ["qstat", "-g", "d"],
    tasks=tasks,
    explain=lambda job: ["qstat", "-j", job],
    reason=reason,
    settings=("SGE_ROOT", "SGE_CELL", "SGE_QMASTER_PORT", "SGE_EXECD_PORT", "SGE_CLUSTER_NAME"),
)

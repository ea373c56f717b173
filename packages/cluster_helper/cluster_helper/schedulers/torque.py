"""Torque: qsub -t, qstat, qdel; Slurm's own Torque commands, too. Pure."""

from __future__ import annotations

from cluster_helper import units
from cluster_helper.job import Job
from cluster_helper.schedulers import pbs
from cluster_helper.schedulers.dialect import Dialect

_NAME = 15  # characters, the most that it accepts


def directives(job: Job) -> list[str]:
    """The options of qsub. Without -V nothing of the environment goes along."""
    asked = job.resources
    nodes = f"nodes=1:ppn={job.cores}"
    nodes += f":gpus={asked.gpus}" if asked.gpus else ""
    nodes += f":{asked.feature}" if asked.feature else ""
    lines = [
        f"-N {job.name[:_NAME]}",
        "-S /bin/sh",
        "-j oe",
        "-o /dev/null",
        "-r n",
        *([f"-t 1-{job.count}"] if job.count else []),
    ]
    lines += [f"-q {job.queue}"] if job.queue else []
    lines += [f"-A {asked.account}"] if asked.account else []
    lines += [f"-l {nodes}"]
    lines += [f"-l walltime={units.clock(asked.walltime)}"] if asked.walltime else []
    lines += [f"-l mem={asked.mem}mb"] if asked.mem else []
    lines += [f"-l qos={asked.qos}"] if asked.qos else []
    return lines


_LIMITS = {-10: "limit of mem", -11: "walltime", -12: "limit of cput"}

DIALECT = Dialect(
    name="torque",
    title="Torque",
    programs=("qsub", "qstat", "qdel"),
    prefix="#PBS",
    task="${PBS_ARRAYID:-${SLURM_ARRAY_TASK_ID:-1}}",
    resources=frozenset({"walltime", "mem", "account", "qos", "feature", "gpus"}),
    directives=directives,
    submit=("qsub",),
    job_id=pbs.job_id,
    cancel=lambda job: ["qdel", job],
    query=lambda job: ["qstat", "-f", "-t", job],
    tasks=pbs.reader(_LIMITS),
    select=pbs.select,
    named=pbs.named,
    named_jobs=pbs.named_reader(_LIMITS),
    own_id=pbs.OWN_ID,
    forgotten=pbs.FORGOTTEN,
    after=pbs.after,
    settings=pbs.SETTINGS,
)

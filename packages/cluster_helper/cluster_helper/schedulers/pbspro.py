"""PBS Pro and OpenPBS: qsub -J, select statements. Pure."""

from __future__ import annotations

from cluster_helper import units
from cluster_helper.job import Job
from cluster_helper.schedulers import pbs
from cluster_helper.schedulers.dialect import Dialect

_LIMITS = {-24: "limit of ncpus", -25: "limit of ncpus", -26: "limit of vmem", -27: "limit of mem",
           -28: "limit of cput", -29: "walltime"}  # fmt: skip


def directives(job: Job) -> list[str]:
    """The options of qsub. An array has at least two members, so one engine is no array."""
    asked = job.resources
    chunk = f"select=1:ncpus={job.cores}"
    chunk += f":mem={asked.mem}mb" if asked.mem else ""
    chunk += f":ngpus={asked.gpus}" if asked.gpus else ""
    lines = [f"-N {job.name}", "-S /bin/sh", "-j oe", "-o /dev/null"]
    # The members of an array have to be rerunnable, a single job has not.
    lines += [f"-J 1-{job.count}"] if job.count > 1 else ["-r n"]
    lines += [f"-q {job.queue}"] if job.queue else []
    lines += [f"-A {asked.account}"] if asked.account else []
    lines += [f"-P {asked.project}"] if asked.project else []
    lines += [f"-l {chunk}"]
    lines += [f"-l walltime={units.clock(asked.walltime)}"] if asked.walltime else []
    return lines


DIALECT = Dialect(
    name="pbspro",
    title="PBS Pro, OpenPBS",
    programs=("qsub", "qstat", "qdel"),
    telltale=("pbs_rstat",),
    prefix="#PBS",
    task="${PBS_ARRAY_INDEX:-1}",
    resources=frozenset({"walltime", "mem", "account", "project", "gpus"}),
    directives=directives,
    submit=("qsub",),
    job_id=pbs.job_id,
    cancel=lambda job: ["qdel", job],
    # With -x a server that keeps no history, the default, answers nothing at all.
    query=lambda job: ["qstat", "-f", "-t", job],
    history=lambda job: ["qstat", "-x", "-f", "-t", job],
    tasks=pbs.reader(_LIMITS),
    select=pbs.select,
    named=pbs.named,
    named_jobs=pbs.named_reader(_LIMITS),
    own_id=pbs.OWN_ID,
    forgotten=pbs.FORGOTTEN,
    after=pbs.after,
    settings=pbs.SETTINGS,
)

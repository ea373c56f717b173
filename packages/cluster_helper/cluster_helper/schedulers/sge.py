"""Grid Engine (Sun, Son of, Univa, Altair): qsub -t, qstat, qdel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cluster_helper import units
from cluster_helper.job import Job
from cluster_helper.schedulers.dialect import (
    FAILED,
    RUNNING,
    WAITING,
    Dialect,
    NamedJob,
    Task,
    local_moment,
)
from cluster_helper.schedulers.person import person

_ELEMENT = re.compile(r"<(\w+)(?: [^>]*)?>([^<]*)</\1>")
_ALL_DROPPED = "All queues dropped because of overload or full"
_STALLED = re.compile("[sST]")
_ABOUT_NOBODY = ("There are no messages available", _ALL_DROPPED)


def directives(job: Job) -> list[str]:
    """The options of qsub. Without -V nothing of the environment goes along."""
    asked = job.resources
    lines = [f"-N {job.name}", "-S /bin/sh", "-j y", "-o /dev/null", "-r n"]
    # One that is no array is warned before it is killed.
    lines += [f"-t 1-{job.count}"] if job.count else ["-notify"]
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
    """Those of this job in `qstat -xml -g d`; what has ended is no longer there."""
    rows = _rows(printed)
    return [task for row in rows if row.get("JB_job_number") == job for task in _tasks(row)]


def _rows(printed: str) -> list[dict[str, str]]:
    entries = re.findall(r"<job_list\b.*?</job_list>", printed, re.DOTALL)
    return [{name: text.strip() for name, text in _ELEMENT.findall(entry)} for entry in entries]


def named_jobs(name: str, printed: str) -> list[NamedJob]:
    """Those of this name in the same list."""
    return [_named_job(row) for row in _rows(printed) if row.get("JB_name") == name]


def _named_job(row: dict[str, str]) -> NamedJob:
    kind, reason = _state(row)
    node = row.get("queue_name", "").partition("@")[2].partition(".")[0]
    # s: by a person, S: with its queue, T: for the load of its node; t and r are none of them.
    stalled = row.get("state", "") if kind == RUNNING and _STALLED.search(row["state"]) else ""
    number = row.get("JB_job_number", "")
    begun = local_moment(row.get("JAT_start_time", ""))
    return NamedJob(number, kind, reason, reason == "held", node, stalled=stalled, begun=begun)


def _tasks(row: dict[str, str]) -> Iterator[Task]:
    if row.get("tasks", "").isdigit():
        yield Task(int(row["tasks"]), *_state(row))


def _state(row: dict[str, str]) -> tuple[str, str]:
    state = row.get("state", "")
    if "q" not in state:
        return RUNNING, ""  # hr: held while it runs, which is about the next time only
    kind = FAILED if "h" in state or "E" in state else WAITING
    return kind, "held" if "h" in state else "in error" if "E" in state else ""


def reason(printed: str) -> str:
    """Why it does not run, from `qstat -j`: an error before the scheduler's thoughts."""
    errors = re.findall(r"^error reason\s+\d+:\s+(?:.*\]: )?(.+)$", printed, re.MULTILINE)
    return next(iter(errors or sorted(_thoughts(printed), key=_is_disabled)), "")


def hopeless(printed: str) -> bool:
    """Whether every queue that the job may use is disabled.

    The thoughts are those of the last round of the scheduler, which may not have seen this job:
    that one node is disabled says nothing, as long as not all queues were dropped.
    """
    about_queues = [line for line in _thoughts(printed) if line.startswith("queue instance")]
    return _ALL_DROPPED in printed and bool(about_queues) and all(map(_is_disabled, about_queues))


def _thoughts(printed: str) -> list[str]:
    """What the scheduler says, without what is only of queues that the job did not ask for."""
    found = re.search(r"^scheduling info:((?:.*\n?)(?:^\s+.*\n?)*)", printed, re.MULTILINE)
    asked = re.search(r"^hard_queue_list:\s+(\S+)$", printed, re.MULTILINE)
    queues = asked[1].split(",") if asked else []
    lines = [line.strip() for line in found[1].splitlines()] if found else []
    return [line for line in lines if line not in _ABOUT_NOBODY and _is_about(line, queues)]


def _is_about(line: str, queues: list[str]) -> bool:
    instance = re.match(r'queue instance "([^"@]+)@', line)
    return not queues or instance is None or instance[1] in queues


def _is_disabled(line: str) -> bool:
    return line.endswith("dropped because it is disabled")


def _list(_job_or_name: str) -> list[str]:
    """In a form that the person's ~/.sge_qstat cannot change, of every state, of this person."""
    return ["qstat", "-u", person(), "-xml", "-g", "d", "-s", "prs"]


DIALECT = Dialect(
    name="sge",
    title="Grid Engine",
    programs=("qsub", "qstat", "qdel", "qconf"),
    prefix="#$",
    task="${SGE_TASK_ID:-1}",
    resources=frozenset({"walltime", "mem", "account", "project", "gpus"}),
    directives=directives,
    # What the person's ~/.sge_request asks for must not make it something else than this script.
    submit=("qsub", "-terse", "-b", "n", "-C", "#$", "-now", "n"),
    verify=("qsub", "-w", "v", "-b", "n", "-C", "#$", "-now", "n"),
    repeats=True,
    waits=True,  # -sync y there wins over -sync n here
    job_id=job_id,
    cancel=lambda job: ["qdel", job],
    query=_list,
    tasks=tasks,
    named=_list,
    own_id="$JOB_ID",
    named_jobs=named_jobs,
    is_complete=lambda printed: "</job_info>" in printed,
    explain=lambda job: ["qstat", "-j", job],
    reason=reason,
    hopeless=hopeless,
    after=lambda job: [f"-hold_jid {job}"],
    settings=("SGE_ROOT", "SGE_CELL", "SGE_QMASTER_PORT", "SGE_EXECD_PORT", "SGE_CLUSTER_NAME"),
)

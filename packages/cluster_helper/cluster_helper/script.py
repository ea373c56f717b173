"""The job script: the scheduler's directives, then a few lines of POSIX shell. Pure."""

from __future__ import annotations

import shlex

from cluster_helper import rules
from cluster_helper.errors import ClusterError
from cluster_helper.job import Job
from cluster_helper.schedulers.dialect import Dialect


def render(dialect: Dialect, job: Job) -> str:
    """The whole script."""
    refuse_what_cannot_be_said(dialect, job)
    asked = [*dialect.directives(job), *_dependency(dialect, job)]
    directives = [f"{dialect.prefix} {rules.line('the job', each)}" for each in asked]
    return "\n".join(["#!/bin/sh", *directives, "", *_body(dialect, job), ""])


def _dependency(dialect: Dialect, job: Job) -> list[str]:
    """Without the word for it, the job would begin beside the one that it is to follow."""
    if not job.after:
        return []
    if dialect.after is None:
        raise ClusterError(f"{dialect.name} cannot have a job wait for the end of another one")
    return dialect.after(job.after)


def refuse_what_cannot_be_said(dialect: Dialect, job: Job) -> None:
    """A resource that a scheduler has no word for is refused by name, never dropped."""
    lost = [name for name in job.resources.asked() if name not in dialect.resources]
    if lost:
        known = ", ".join(sorted(dialect.resources))
        raise ClusterError(
            f"{dialect.name} cannot express the resource {lost[0]!r}", f"it knows {known}"
        )


def _body(dialect: Dialect, job: Job) -> list[str]:
    """The program in place of the shell, so that the scheduler's signals reach it."""
    numbered = [f'task="{dialect.task}"', 'case "$task" in "" | *[!0-9]*) task=1 ;; esac']
    task, log = (' --task "$task"', '"$task".log') if job.count else (f' "{dialect.own_id}"', "")
    return [
        *(numbered if job.count else []),
        'mask="$(umask)"; umask 077',
        f"exec > {word('the log', job.log)}{log} 2>&1",
        'umask "$mask"',
        f'export PATH={word("the path", job.path)}:"${{PATH:-/usr/local/bin:/usr/bin:/bin}}"',
        f"cd -- {word('the directory', job.directory)} || exit",
        f"exec {' '.join(word('the command', part) for part in job.command)}{task}",
    ]


def word(kind: str, text: str) -> str:
    """One word for the shell, on one line."""
    return shlex.quote(rules.line(kind, text))

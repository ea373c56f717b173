# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the site's scheduler, in the words of cluster_view and by its dialects."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common import cluster_helper
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import Wanted
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import Known

OLDEST = (3, 11)  # Python that cluster_helper runs on


@contextlib.contextmanager
def _said(where: str = "") -> Iterator[None]:
    """An error of cluster_helper in the form of ours."""
    try:
        yield
    except cluster_helper.part("errors").ClusterError as error:
        raise NotebookError(str(error), where) from error


@dataclass(frozen=True)
class Planned:
    """A job that may be submitted."""

    job: Any
    script: str
    asked: str
    walltime: int
    clock: str
    mem: int  # in MB; 0 where nothing was said


class Scheduler:
    """The one of the site, found or named by its file of defaults."""

    def __init__(self, name: str = "") -> None:
        if sys.version_info < OLDEST:
            what = f"jobs need a Python {OLDEST[0]}.{OLDEST[1]} or newer"
            raise NotebookError(what, sys.executable, "Set up a newer installation.")
        commands = cluster_helper.part("commands")
        with _said("nbserver_where=job"):
            self.site: Any = cluster_helper.part("site").load()
            chosen = name or self.site.scheduler
            self._dialect: Any = cluster_helper.part("schedulers").choose(
                chosen, commands.find_program
            )
        if self._dialect.named is None:
            known = [
                d.title for d in cluster_helper.part("schedulers").DIALECTS.values() if d.named
            ]
            what = f"notebooks do not run as jobs of {self._dialect.title} yet"
            raise NotebookError(what, "nbserver_where", f"They do with {' and '.join(known)}.")
        self._commands: Any = commands.Commands(self._dialect)

    @property
    def name(self) -> str:
        """As cluster_view calls it."""
        return str(self._dialect.name)

    @property
    def title(self) -> str:
        """As people call it."""
        return str(self._dialect.title)

    def plan(
        self, wanted: Wanted, name: str, command: Sequence[str], log: str, after: str = ""
    ) -> Planned:
        """The job; NotebookError for what this scheduler cannot say or the site has wrong.

        `after` is the job whose end it waits for.
        """
        with _said("nbserver_resources"):
            days = cluster_helper.part("request").knows_days(self.name)
            asked = cluster_helper.part("resources").parse(wanted.resources or None, days)
            resources = cluster_helper.part("request").with_defaults(asked, self.site)
            job = cluster_helper.part("job").Job(
                name=name,
                count=0,
                command=command,
                directory="/",
                path=os.path.dirname(sys.executable),  # noqa: PTH120 - a word, not a file
                log=log,
                resources=resources,
                cores=wanted.cores,
                queue=wanted.queue or self.site.queue,
                parallel_environment=self.site.parallel_environment,
                after=after,
            )
            text = cluster_helper.part("script").render(self._dialect, job)
            clock = cluster_helper.part("units").clock(resources.walltime)
        words = self._words(job, clock)
        return Planned(job, text, words, resources.walltime, clock, resources.mem or 0)

    def _words(self, job: Any, clock: str) -> str:
        """What is asked for, as a person reads it."""
        asked = job.resources
        words = {
            "queue": job.queue,
            "cores": job.cores,
            "walltime": clock,
            "mem": f"{asked.mem} MB" if asked.mem else None,
            **{n: getattr(asked, n) for n in ("gpus", "account", "project", "qos", "feature")},
        }
        return ", ".join(f"{name} {value}" for name, value in words.items() if value)

    def submit(self, planned: Planned, script: str, lock: int) -> str:
        """The id of the new job. What submits holds the lock as long as it lives."""
        commands = cluster_helper.part("commands").Commands(self._dialect, inherited=(lock,))
        with _said():
            return str(commands.submit(Path(script), self._beaten(planned)))

    def verify(self, planned: Planned) -> None:
        """Refuse what it would refuse, before anything is ended for it; not every one can tell."""
        with _said("nbserver_resources"):
            self._commands.verify(planned.script, self._beaten(planned))

    def _beaten(self, planned: Planned) -> Any:
        dialect = cluster_helper.part("schedulers.dialect")
        return dialect.beaten_variables(self._dialect, planned.job)

    def jobs(self, name: str) -> list[Known]:
        """What it knows of the person's jobs of this name."""
        with _said():
            return [Known(**vars(found)) for found in self._commands.named(name)]

    def why(self, known: Known) -> str:
        """Why it waits, where that is another question."""
        if known.state != "waiting" or known.reason or self._dialect.explain is None:
            return known.reason
        with _said():
            return str(self._commands.explain(known.job)[0])

    def terminate(self, job: str) -> None:
        """Have its first process end in order."""
        with _said():
            self._commands.terminate(job)

    def signal(self, job: str, number: int) -> bool:
        """Send its first process a signal; whether that was possible."""
        with _said():
            return bool(self._commands.signal(job, number))

    def cancel(self, job: str) -> None:
        """End it, however it is."""
        with _said():
            self._commands.cancel(job)


def adopt_settings(found: Mapping[str, str]) -> None:
    """Find the scheduler where the site's profile and the modules have put it."""
    paths = [path for path in (found.get("PATH"), os.environ.get("PATH")) if path]
    os.environ.update({n: v for n, v in found.items() if n not in os.environ})
    os.environ["PATH"] = os.pathsep.join(paths)

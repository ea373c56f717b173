"""The scheduler's own commands, run in an environment that holds nothing private."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from shutil import which

from cluster_helper.errors import ClusterError
from cluster_helper.schedulers.dialect import Dialect, Task

PATIENCE = 30  # seconds that a command of the scheduler gets
# How Torque, PBS Pro and LSF say that a job has ended some time ago.
_FORGOTTEN = re.compile(r"Unknown Job Id|Job has finished|is not found", re.IGNORECASE)
_ALWAYS = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ")


def find_program(name: str) -> str | None:
    """Where a command is; one of the working directory is never meant, whatever PATH says."""
    places = [place for place in os.get_exec_path() if Path(place).is_absolute()]
    return which(name, path=os.pathsep.join(places))


def environment(settings: Sequence[str], given: Mapping[str, str], program: str) -> dict[str, str]:
    """What a command sees, and may hand on to the job: no secret, no state of this session."""
    kept = {n: v for n, v in given.items() if any(fnmatchcase(n, p) for p in settings)}
    always = {name: given[name] for name in _ALWAYS if name in given}
    return {**always, **kept, "PATH": f"{Path(program).parent}:/usr/local/bin:/usr/bin:/bin"}


@dataclass(frozen=True)
class Commands:
    """What one scheduler is told and asked."""

    dialect: Dialect

    def submit(self, script: Path) -> str:
        """The id of the new job; refused with the scheduler's own words."""
        dialect = self.dialect
        if dialect.stdin:
            done = self._run(dialect.submit, script.read_text(encoding="utf-8"))
        else:
            done = self._run([*dialect.submit, str(script)])
        found = dialect.job_id(done.stdout)
        if done.returncode or not found:
            raise ClusterError(f"{dialect.name} refused the job", _words(done))
        return found

    def tasks(self, job: str) -> list[Task]:
        """What has become of each engine's job."""
        done = self._run(self.dialect.query(job))
        silent = done.returncode and not done.stdout.strip()
        if silent and not _FORGOTTEN.search(done.stderr):
            raise ClusterError(f"{self.dialect.name} does not answer", _words(done))
        return self.dialect.tasks(job, done.stdout)

    def explain(self, job: str) -> tuple[str, bool]:
        """Why the job waits, in the scheduler's words, and whether in vain."""
        if self.dialect.explain is None:
            return "", False
        said = self._run(self.dialect.explain(job)).stdout
        return self.dialect.reason(said), self.dialect.hopeless(said)

    def cancel(self, job: str) -> None:
        """End the whole job; one that has ended is no error."""
        done = self._run(self.dialect.cancel(job))
        if done.returncode:
            raise ClusterError(f"{self.dialect.name} did not cancel job {job}", _words(done))

    def _run(
        self, command: Sequence[str], text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        program = find_program(command[0])
        if not program:
            raise ClusterError(f"{command[0]} is not in PATH", "load the scheduler's module")
        try:
            return subprocess.run(
                [program, *command[1:]], input=text or "", capture_output=True, text=True,
                errors="replace", timeout=PATIENCE, check=False,
                env=environment(self.dialect.settings, os.environ, program),
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ClusterError(
                f"{self.dialect.name} does not answer", f"{command[0]} said nothing in {PATIENCE} s"
            ) from error


def _words(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said, errors first, on one line."""
    lines = [line.strip(" '") for line in f"{done.stderr}\n{done.stdout}".splitlines()]
    errors = [line for line in lines if "error" in line.lower() and len(line) > 20]
    return "; ".join(errors or [line for line in lines if line]) or f"exit {done.returncode}"

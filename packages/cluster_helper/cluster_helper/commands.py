"""The scheduler's own commands, run in an environment that holds nothing private."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from shutil import which

from cluster_helper.early import printed_early
from cluster_helper.errors import ClusterError, JobGone
from cluster_helper.schedulers.dialect import ENDED, Dialect, NamedJob, Task

PATIENCE = 60  # seconds that a command of the scheduler gets
_CANCEL_PATIENCE = 45
_ALWAYS = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ")


def find_program(name: str) -> str | None:
    """Where a command is; one of the working directory is never meant, whatever PATH says."""
    places = [place for place in os.get_exec_path() if Path(place).is_absolute()]
    return which(name, path=os.pathsep.join(places))


def environment(settings: Sequence[str], given: Mapping[str, str], program: str) -> dict[str, str]:
    """What a command sees, and may hand on to the job: no secret, no state of this session."""
    kept = {n: v for n, v in given.items() if matches(n, settings)}
    always = {name: given[name] for name in _ALWAYS if name in given}
    return {**always, **kept, "PATH": f"{Path(program).parent}:/usr/local/bin:/usr/bin:/bin"}


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a variable is one of these."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def directives(dialect: Dialect, script: str) -> list[str]:
    """The options that a script holds, as words of a command line."""
    begin = f"{dialect.prefix} "
    lines = [line[len(begin) :] for line in script.splitlines() if line.startswith(begin)]
    return [word for line in lines for word in line.split()]


@dataclass(frozen=True)
class Commands:
    """What one scheduler is told and asked."""

    dialect: Dialect
    inherited: Sequence[int] = ()
    """Descriptors that stay open in the commands: a lock that must not end before they do."""
    running: set[subprocess.Popen[str]] = field(default_factory=set)

    def abandon(self) -> None:
        """End the questions that are not answered yet: nobody waits for the answer any more."""
        for process in list(self.running):
            process.kill()

    def submit(self, script: Path, beaten: Sequence[str] = ()) -> str:
        """The id of the new job; refused with the scheduler's own words.

        `beaten` are the variables that would win over what the script says.
        """
        dialect, text = self.dialect, script.read_text(encoding="utf-8")
        command = self._asking(dialect.submit, text)
        if dialect.waits:
            done = self._early([*command, str(script)], beaten)
        elif dialect.stdin:
            done = self._run(command, text, beaten=beaten)
        else:
            done = self._run([*command, str(script)], beaten=beaten)
        found = dialect.job_id(done.stdout)
        if done.returncode or not found:
            raise ClusterError(f"{dialect.name} refused the job", _words(done))
        return found

    def verify(self, text: str, beaten: Sequence[str] = ()) -> None:
        """Refuse a script that the scheduler would refuse, in its own words; nothing is submitted.

        Not every scheduler can be asked.
        """
        dialect = self.dialect
        if not dialect.verify:
            return
        done = self._run(self._asking(dialect.verify, text), text, beaten=beaten)
        if done.returncode:
            raise ClusterError(f"{dialect.name} would refuse the job", _words(done))

    def _asking(self, program: Sequence[str], text: str) -> list[str]:
        """A command that also says what is asked for, where personal files would win otherwise."""
        return [*program, *(directives(self.dialect, text) if self.dialect.repeats else [])]

    def tasks(self, job: str) -> list[Task]:
        """What has become of each engine's job. An answer without any task is none."""
        done = self._run(self.dialect.query(job))
        if self.dialect.history and done.returncode and self.dialect.has_forgotten(done.stderr):
            done = self._run(self.dialect.history(job))
        found = self.dialect.tasks(job, done.stdout)
        if found:
            return found
        if self._has_forgotten(done):
            raise JobGone(f"{self.dialect.name} does not know job {job} any more")
        raise ClusterError(f"{self.dialect.name} does not answer", _words(done))

    def _has_forgotten(self, done: subprocess.CompletedProcess[str]) -> bool:
        if not done.returncode:
            # PBS without a history says so, and is content with that.
            return self.dialect.is_complete(done.stdout) or "job history" in done.stderr
        return self.dialect.has_forgotten(done.stderr)

    def named(self, name: str) -> list[NamedJob]:
        """The person's jobs of this name, those that the scheduler has not forgotten yet."""
        if self.dialect.named is None:
            raise ClusterError(f"jobs of {self.dialect.title} cannot be found by their name")
        asked = self._selected(name)
        if not asked:
            return []
        done = self._run(self.dialect.named(asked))
        if done.returncode and self.dialect.has_forgotten(done.stderr):
            return self.dialect.named_jobs(name, done.stdout)
        if done.returncode or (self._lists_all and not self.dialect.is_complete(done.stdout)):
            raise ClusterError(f"{self.dialect.name} does not answer", _words(done))
        return self.dialect.named_jobs(name, done.stdout)

    def _selected(self, name: str) -> str:
        """The name, or the ids that it stands for; empty where there is none."""
        if self.dialect.select is None:
            return name
        done = self._run(self.dialect.select(name))
        if done.returncode:
            raise ClusterError(f"{self.dialect.name} does not answer", _words(done))
        lines = (line.strip() for line in done.stdout.splitlines())
        return " ".join(line for line in lines if self.dialect.job_id(line))  # no warnings

    @property
    def _lists_all(self) -> bool:
        """Whether it answers with a list whose end can be told."""
        return self.dialect.named == self.dialect.query

    def explain(self, job: str) -> tuple[str, bool]:
        """Why the job waits, in the scheduler's words, and whether in vain."""
        if self.dialect.explain is None:
            return "", False
        said = self._run(self.dialect.explain(job)).stdout
        return self.dialect.reason(said), self.dialect.hopeless(said)

    def terminate(self, job: str) -> None:
        """Ask the first process of a job to end; whether it has, the next question tells."""
        self._run((self.dialect.terminate or self.dialect.cancel)(job), patience=_CANCEL_PATIENCE)

    def signal(self, job: str, number: int) -> bool:
        """Send its first process a signal; whether that was possible."""
        if self.dialect.signal is None:
            return False
        return not self._run(self.dialect.signal(job, number)).returncode

    def cancel(self, job: str) -> None:
        """End the whole job; one that has ended is no error."""
        done = self._run(self.dialect.cancel(job), patience=_CANCEL_PATIENCE)
        forgotten = self.dialect.has_forgotten(done.stderr)
        if done.returncode and not forgotten and not self._has_ended(job):
            raise ClusterError(f"{self.dialect.name} did not cancel job {job}", _words(done))

    def _has_ended(self, job: str) -> bool:
        try:
            return all(task.state == ENDED for task in self.tasks(job))
        except JobGone:
            return True
        except ClusterError:
            return False

    def _run(
        self, command: Sequence[str], text: str = "", patience: float = PATIENCE,
        beaten: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        process = self._start([_program(command[0]), *command[1:]], beaten)
        self.running.add(process)
        try:
            printed, said = process.communicate(text, patience)
        except subprocess.TimeoutExpired as error:
            raise ClusterError(
                f"{self.dialect.name} does not answer", f"{command[0]} said nothing in {patience} s"
            ) from error
        finally:
            _end(process)
            self.running.discard(process)
        return subprocess.CompletedProcess(command, process.returncode, printed, said)

    def _early(
        self, command: Sequence[str], beaten: Sequence[str]
    ) -> subprocess.CompletedProcess[str]:
        """What it says until it has named the job."""
        argv = [_program(command[0]), *command[1:]]
        try:
            return printed_early(
                argv, self._environment(argv[0], beaten),
                lambda printed: self.dialect.job_id(printed) is not None, PATIENCE, self.inherited,
            )  # fmt: skip
        except OSError as error:
            raise ClusterError(f"{command[0]} cannot be run", str(error.strerror)) from error

    def _environment(self, program: str, beaten: Sequence[str]) -> dict[str, str]:
        if unclear := self.dialect.unclear(os.environ):
            raise ClusterError(unclear)
        given = {n: v for n, v in os.environ.items() if not matches(n, beaten)}
        return environment(self.dialect.settings, given, program)

    def _start(self, command: Sequence[str], beaten: Sequence[str]) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, errors="replace", env=self._environment(command[0], beaten),
                pass_fds=self.inherited,
            )  # fmt: skip
        except OSError as error:
            raise ClusterError(f"{command[0]} cannot be run", str(error.strerror)) from error


def _program(name: str) -> str:
    found = find_program(name)
    if not found:
        raise ClusterError(f"{name} is not in PATH", "load the scheduler's module")
    return found


def _end(process: subprocess.Popen[str]) -> None:
    """Whatever came of it. What it has left in the background may hold its output open."""
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None and not pipe.closed:
            with suppress(OSError):
                pipe.close()


def _words(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said, errors first, on one line."""
    lines = [line.strip(" '") for line in f"{done.stderr}\n{done.stdout}".splitlines()]
    errors = [line for line in lines if "error" in line.lower() and len(line) > 20]
    return "; ".join(errors or [line for line in lines if line]) or f"exit {done.returncode}"

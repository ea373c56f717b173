"""Who takes part on the test cluster, and what they do there: commands, programs, playbooks."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SAFETY = Path(__file__).resolve().parent
sys.path.insert(0, str(SAFETY.parent / "e2e"))

from terminal import BIN, CHECKOUT, CLUSTER, COLOUR, STATE  # noqa: E402

PYTHON = "/opt/site/anaconda/bin/python"
PASSWORD = "a walk along the Red Cedar"
# Every test cluster has hosts of the same names: a connection belongs to one of them.
_MINE = hashlib.sha256(str(STATE).encode()).hexdigest()[:8]
_CONTROL = f"ControlPath=/tmp/hs-{_MINE}-%C"
SHARED = ["-o", "ControlMaster=auto", "-o", _CONTROL, "-o", "ControlPersist=60"]


@dataclass(frozen=True)
class Person:
    """An account on a host of the cluster."""

    name: str
    host: str

    def argv(self, command: str) -> list[str]:
        config = str(STATE / "ssh_config")
        return ["ssh", "-F", config, *SHARED, f"{self.name}@{self.host}", command]

    def run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(command),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )

    def says(self, command: str, stdin: str = "") -> str:
        done = self.run(command, stdin)
        assert done.returncode == 0, (
            f"{self.name}@{self.host}: {command}\n{done.stdout}{done.stderr}"
        )
        return done.stdout.strip()

    def begin(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Run one of the programs below this directory; its input stays open."""
        source = (SAFETY / program).read_text()
        command = shlex.join([PYTHON, "-c", source, *arguments])
        return subprocess.Popen(
            self.argv(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @contextmanager
    def running(self, program: str, *arguments: str, said: str = "") -> Iterator[Program]:
        """The same, once it was told a line and is ready; its input is closed in the end."""
        process = self.begin(program, *arguments)
        assert process.stdin
        assert process.stdout
        if said:
            process.stdin.write(f"{said}\n")
            process.stdin.flush()
        try:
            line = process.stdout.readline()
            assert line, f"{program} {arguments} ended with {process.wait()}"
            yield Program(process, line.strip())
        finally:
            if process.stdin and not process.stdin.closed:
                process.stdin.close()
            process.wait(60)


@dataclass(frozen=True)
class Program:
    """A running program of ours, and the first line that it said."""

    process: subprocess.Popen[str]
    said: str

    def rest(self) -> str:
        """End its input, and give what else it says."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        return self.process.stdout.read()


def root(host: str, command: str) -> str:
    """What root of a host sees."""
    done = subprocess.run(
        [*CLUSTER, "root", host, "sh", "-c", command],
        capture_output=True, text=True, errors="surrogateescape", check=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout


@dataclass(frozen=True)
class Run:
    """How a playbook ended."""

    code: int
    output: str

    def printed(self, pattern: str) -> str:
        found = re.search(pattern, self.output, re.MULTILINE)
        assert found, f"nothing like {pattern} in:\n{self.output}"
        return found[1]


@contextmanager
def prepared(
    name: str, *options: str, **variables: object
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The command line and the environment with which a person runs a playbook."""
    given = {"nbserver_profile_password": PASSWORD, "nbserver_start_timeout": 300, **variables}
    argv = [str(BIN / "ansible-playbook"), str(CHECKOUT / "playbooks" / f"{name}.yml")]
    environment = {**os.environ, "COLUMNS": "200", "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")}
    inventory = str(STATE / "inventory.ini")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as variables_file:  # 0600
        json.dump(given, variables_file)
        variables_file.flush()
        yield [*argv, "-i", inventory, "-e", f"@{variables_file.name}", *options], environment


def playbook(name: str, *options: str, **variables: object) -> Run:
    """Run a playbook as a person does."""
    with prepared(name, *options, **variables) as (argv, environment):
        done = subprocess.run(
            argv, cwd=CHECKOUT, capture_output=True, text=True, check=False, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    return Run(done.returncode, COLOUR.sub("", done.stdout + done.stderr))


def done(name: str, *options: str, **variables: object) -> Run:
    """The same, when it has to end well."""
    run = playbook(name, *options, **variables)
    assert run.code == 0, run.output
    return run

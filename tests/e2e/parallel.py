"""Parallel work on the test cluster: programs of a person on the dev node, and what is left of it.

The Python is the site's ready one with our package beside it, on the shared home.
"""

from __future__ import annotations

import shlex
import subprocess
import textwrap
import time

from terminal import CHECKOUT, CLUSTER, STATE
from waiting import PATIENCE, nothing_left

PACKAGE = CHECKOUT / "packages" / "cluster_helper"
SITE = "/opt/site/anaconda"
PYTHON = "~/env/bin/python"
PREPARE = f"""
{SITE}/bin/python -m venv --without-pip ~/env
place=$({PYTHON} -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
{SITE}/bin/python -c 'import ipyparallel; print(ipyparallel.__path__[0].rpartition("/")[0])' \\
    > "$place/site.pth"
tar -C "$place" -xf -
"""


def root(host: str, *command: str) -> str:
    """Break something."""
    done = subprocess.run([*CLUSTER, "root", host, *command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)  # fmt: skip
    return done.stdout + done.stderr


class Person:
    """Somebody with an account, at the dev node."""

    def __init__(self, account: str) -> None:
        self.account = account

    def ssh(self, host: str, command: str) -> list[str]:
        """One connection for all commands to a host: a handshake costs more than most of them."""
        shared = [f"ControlPath={STATE}/{self.account}-{host}.mux", "ControlMaster=auto",
                  "ControlPersist=120"]  # fmt: skip
        options = [word for option in shared for word in ("-o", option)]
        return ["ssh", "-F", f"{STATE}/ssh_config", *options, f"{self.account}@{host}", command]

    def on(self, host: str, command: str) -> str:
        done = subprocess.run(
            self.ssh(host, command), stdout=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        return done.stdout

    def prepare(self) -> None:
        packed = subprocess.run(
            ["tar", "-C", str(PACKAGE), "--exclude=__pycache__", "-cf", "-", "cluster_helper"],
            check=True, capture_output=True,
        )  # fmt: skip
        subprocess.run(self.ssh("dev1", PREPARE), input=packed.stdout, check=True,
                       stderr=subprocess.DEVNULL)  # fmt: skip

    def program(self, text: str) -> Program:
        return Program(self, textwrap.dedent(text))

    def jobs(self) -> list[str]:
        """What is left in the queue; what has just been told to end is not."""
        states = "PENDING,RUNNING,CONFIGURING,SUSPENDED,STOPPED"
        return self.on("gateway", f"squeue --me -h -r -t {states} -o '%i %T %r'").splitlines()

    def processes(self) -> list[str]:
        """Every process of ours on every node, as `host command`."""
        found = []
        for host in ("dev1", "c1", "c2"):
            lines = self.on(host, "ps -u $USER -o pid=,args=").splitlines()
            found += [f"{host} {line.strip()}" for line in lines if "/bin/python" in line]
        return found

    def leaves_no_job(self) -> None:
        nothing_left(self.jobs, "jobs")

    def leaves_nothing(self) -> None:
        self.leaves_no_job()
        nothing_left(self.processes, "processes")
        assert self.on("dev1", "ls ~/.ipython/cluster_helper 2>/dev/null") == ""


class Program:
    """A program that runs on the dev node as in a terminal of the person."""

    def __init__(self, person: Person, text: str) -> None:
        self.person = person
        self.name = f"program-{time.monotonic_ns()}.py"
        write = f"cat > {self.name}"
        subprocess.run(person.ssh("dev1", write), input=text, text=True, check=True,
                       stderr=subprocess.DEVNULL)  # fmt: skip
        command = f"echo $$ > {self.name}.pid; exec {PYTHON} -u {self.name} 2>&1"
        self.process = subprocess.Popen(
            person.ssh("dev1", f"sh -c {shlex.quote(command)}"), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.printed = ""

    def until(self, word: str) -> str:
        """Read on until it has printed this."""
        assert self.process.stdout is not None
        while word not in self.printed:
            line = self.process.stdout.readline()
            assert line, f"it ended without {word!r}:\n{self.printed}"
            self.printed += line
        return self.printed

    def end(self) -> str:
        """Everything that it printed."""
        self.printed += self.process.communicate(timeout=PATIENCE)[0]
        return self.printed

    def signal(self, name: str) -> None:
        self.person.on("dev1", f"kill -{name} $(cat {self.name}.pid)")

"""A person at a computer: types the playbooks by their full names, and reads what they print."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))
from engine import ClusterError, Engine

if TYPE_CHECKING:
    from cells import Cell

HOME = "/home/person"
CLUSTER_DIRECTORY = f"{HOME}/cluster"
PASSWORD = "a walk along the Red Cedar"
OPENS_WITHIN = 60.0
# What nobody who follows the README should ever have to read.
NOISE = re.compile(r"\[(WARNING|DEPRECATION WARNING|ERROR)\]|Traceback|does not support")
PARALLEL = """\
exec ~/anaconda/bin/python -I - <<'END'
from cluster_helper.cluster import cluster_view
limits = {"resources": "walltime=00:10:00"}
with cluster_view(queue="main", num_jobs=2, extra_params=limits) as view:
    print("computed", sum(view.map(lambda number: number**2, range(10))))
END
"""


class Failed(Exception):  # noqa: N818 - reads as what happened
    """A step of a cell that did not do what it has to."""

    def __init__(self, step: str, said: str) -> None:
        self.step, self.said = step, said
        super().__init__(step)


class Computer:
    """One container, one person, one cell."""

    def __init__(self, engine: Engine, name: str, cell: Cell) -> None:
        self._engine, self._name, self._cell = engine, name, cell
        self._port = free_port()
        self._announced = ""
        self._steps: dict[str, float] = {}

    def receive(self, state: Path, archive: Path) -> None:
        """Bring the archive, and what a person has: keys, an ssh configuration, an inventory."""
        self._engine.call("cp", f"{state}/.", f"{self._name}:{CLUSTER_DIRECTORY}")
        self._engine.call("cp", str(archive), f"{self._name}:{HOME}/{archive.name}")
        self._engine.call("exec", "--user", "root", self._name, "chown", "-R", "person", HOME)
        ours, old = f"{CLUSTER_DIRECTORY}/inventory.ini", f"s:{state}:{CLUSTER_DIRECTORY}:g"
        self._shell(f"rm -rf {CLUSTER_DIRECTORY}/cp")
        self._shell(f"sed -i {old} {CLUSTER_DIRECTORY}/ssh_config {ours}")
        names = f"-e s/alice/{self._cell.account}/ -e s/^dev1$/{self._cell.node}/"
        self._shell(f"sed {names} {ours} > my.ini")
        given = {"nbserver_profile_password": PASSWORD, "nbserver_local_port": self._port}
        self._shell("cat > my.json", json.dumps(given))

    def served(self) -> None:
        """A server runs."""
        galaxy = f"{self._bin}/ansible-galaxy collection install hpcc-notebook-*.tar.gz"
        self._step("install", lambda: self._shell(galaxy))
        for name in ("setup", "start"):
            self._announced = self._play(name)

    def main_job(self) -> dict[str, float]:
        """Everything that the README promises, in its order; gives the seconds of each step."""
        self.served()
        self._step("paste", self._paste)
        self._play("status")
        self._step("connect", self._connect)
        self._announced = self._play("restart")
        self._step("paste after a restart", self._paste)
        if ", 0 wrong." not in (said := self._play("doctor")):
            raise Failed("doctor", said)
        self._play("parallel")
        self._step("compute", self._compute)
        self._play("stop")
        self._play("teardown", "-e", "teardown_confirmed=true")
        return self._steps

    def doctor(self, *options: str) -> str:
        """What it prints, however it ends."""
        return self._shell(f"{self._command('doctor', *options)} || :")

    def run(self, program: str) -> None:
        """Have a shell run it here."""
        self._shell(program)

    @property
    def _bin(self) -> str:
        return f"/opt/ansible-{self._cell.controller.core}/bin"

    def _play(self, name: str, *options: str) -> str:
        words = self._command(name, *options)
        return self._step(name, lambda: self._shell(words))

    def _command(self, name: str, *options: str) -> str:
        playbook = f"{self._bin}/ansible-playbook hpcc.notebook.{name} -i my.ini -e @my.json"
        return " ".join([playbook, *options])

    def _step(self, name: str, do: Callable[[], str]) -> str:
        began = time.monotonic()
        try:
            said = do()
        except ClusterError as error:
            raise Failed(name, str(error)) from error
        self._steps[name] = time.monotonic() - began
        if NOISE.search(said):
            raise Failed(name, said)
        return said

    def _shell(self, line: str, stdin: str = "") -> str:
        argv = ["exec", "--interactive", self._name, "sh", "-c", f"{{ {line}\n}} 2>&1"]
        return self._engine.call(*argv, stdin=stdin)

    def _paste(self) -> str:
        """The printed command leads to the login page."""
        printed = re.search(r"^ +(ssh .*)$", self._announced, re.MULTILINE)
        if not printed:
            raise Failed("paste", self._announced)
        jump = f"-F {CLUSTER_DIRECTORY}/ssh_config"
        assert jump in printed[1], printed[1]
        with self._typed(printed[1], "ssh -N"):
            return self._login_page("paste")

    def _connect(self) -> str:
        """connect.yml leads there, too, and ends with Ctrl-C."""
        with self._typed(self._command("connect"), "hpcc.notebook.connect"):
            return self._login_page("connect")

    @contextmanager
    def _typed(self, line: str, pattern: str) -> Iterator[None]:
        """A command that runs until Ctrl-C."""
        argv = [self._engine.name, "exec", self._name, "sh", "-c", f"exec {line}"]
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._engine.environment
        ) as typed:
            try:
                yield
            finally:
                self._engine.succeeds("exec", self._name, "pkill", "-INT", "-o", "-f", pattern)
                said = typed.communicate(timeout=60)[0].decode(errors="replace")
            if NOISE.search(said.replace("[ERROR]: User interrupted execution", "")):
                raise Failed(pattern, said)

    def _login_page(self, step: str) -> str:
        deadline = time.monotonic() + OPENS_WITHIN
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        while time.monotonic() < deadline:
            try:
                address = f"https://127.0.0.1:{self._port}/login"
                with urllib.request.urlopen(address, timeout=10, context=context) as page:
                    return f"{page.status}"
            except OSError:
                time.sleep(0.2)
        raise Failed(step, f"no login page within {OPENS_WITHIN:g} s")

    def _compute(self) -> str:
        target = f"-F {CLUSTER_DIRECTORY}/ssh_config {self._cell.account}@{self._cell.node}"
        said = self._shell(f"ssh {target} sh -s", PARALLEL)
        if "computed 285" not in said:
            raise Failed("compute", said)
        return said


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])

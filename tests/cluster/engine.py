"""The container engine: podman, or docker where that is what works. All of its calls are here."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import IO

import render

CAP_SYS_RESOURCE = 24
CONFIGURATION = "containers.conf"
CREATED_AT = "%Y-%m-%d %H:%M:%S %z"


class ClusterError(Exception):
    """What went wrong, in words for the person at the terminal."""


def run(argv: list[str], *, stdin: str = "", environment: dict[str, str] | None = None) -> str:
    """Run a command and give its standard output; say what it said when it fails."""
    result = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=False, env=environment
    )
    if result.returncode:
        said = (result.stderr or result.stdout).strip()[-1500:]
        raise ClusterError(f"{' '.join(argv)}: exit {result.returncode}\n{said}")
    return result.stdout


def works(argv: list[str], environment: dict[str, str] | None = None) -> bool:
    """Whether a command exists and succeeds."""
    if shutil.which(argv[0]) is None:
        return False
    result = subprocess.run(argv, capture_output=True, check=False, env=environment)
    return result.returncode == 0


def lacks_sys_resource() -> bool:
    """Root without CAP_SYS_RESOURCE cannot give containers podman's usual limits."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return not int(effective.split()[1], 16) >> CAP_SYS_RESOURCE & 1


def is_confined() -> bool:
    """Whether podman needs a containers.conf of its own here: see render.containers_conf."""
    if "CONTAINERS_CONF" in os.environ:
        return False
    hybrid = Path("/sys/fs/cgroup/unified").is_dir()
    return hybrid or (os.geteuid() == 0 and lacks_sys_resource())


def limit(kind: int, most: int) -> int:
    """A limit that is safely below this process's own."""
    hard = resource.getrlimit(kind)[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard * 9 // 10)


class Engine:
    """A working podman or docker; uses only what both document."""

    def __init__(self, state: Path) -> None:
        self.environment = dict(os.environ)
        self.name = self._podman(state) or self._docker()

    def _podman(self, state: Path) -> str:
        if shutil.which("podman") is None:
            return ""
        if is_confined():
            state.mkdir(mode=0o700, exist_ok=True)
            configuration = state / CONFIGURATION
            files = limit(resource.RLIMIT_NOFILE, 20000)
            processes = limit(resource.RLIMIT_NPROC, 30000)
            configuration.write_text(render.containers_conf(files, processes), encoding="utf-8")
            self.environment["CONTAINERS_CONF"] = str(configuration)
        return "podman" if works(["podman", "ps"], self.environment) else ""

    def _docker(self) -> str:
        if works(["docker", "ps"]):
            return "docker"
        raise ClusterError(
            "no container engine works here: neither `podman ps` nor `docker ps` succeeds. "
            "tests/prepare.sh installs podman."
        )

    def call(self, *arguments: str, stdin: str = "") -> str:
        """Run the engine's command line client."""
        return run([self.name, *arguments], stdin=stdin, environment=self.environment).strip()

    def succeeds(self, *arguments: str) -> bool:
        """Whether a call succeeds; for questions."""
        return works([self.name, *arguments], self.environment)

    def attach(self, *arguments: str) -> int:
        """Run the client on this terminal."""
        return subprocess.run([self.name, *arguments], check=False, env=self.environment).returncode

    def log_to(self, log: IO[str], *arguments: str) -> bool:
        """Run a long call with its output in a file."""
        result = subprocess.run(
            [self.name, *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            env=self.environment,
        )
        return result.returncode == 0

    def import_image(self, producer: list[str], image: str) -> bool:
        """Import a root file system that another command writes to its standard output."""
        with subprocess.Popen(
            producer, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as source:
            imported = subprocess.run(
                [self.name, "import", "-", image],
                stdin=source.stdout,
                capture_output=True,
                check=False,
                env=self.environment,
            )
        if source.returncode == 0 and imported.returncode == 0:
            return True
        self.succeeds("rmi", image)
        return False

    def images(self, prefix: str) -> dict[str, datetime]:
        """All images of ours: name to the time when it was made."""
        shown = "{{.Repository}}:{{.Tag}} {{.CreatedAt}}"
        lines = self.call("images", "--format", shown).splitlines()
        ours = [line.split()[:4] for line in lines if line.startswith(f"localhost/{prefix}")]
        return {name: datetime.strptime(" ".join(made), CREATED_AT) for name, *made in ours}

    def containers(self, prefix: str, *options: str) -> dict[str, str]:
        """All containers of ours, running or not: name to image."""
        ours = ["--filter", f"name=^{prefix}-", "--format", "{{.Names}} {{.Image}}"]
        listing = self.call("ps", *(options or ["--all"]), *ours)
        return dict(line.split()[:2] for line in listing.splitlines())

    def running(self, prefix: str) -> dict[str, str]:
        """Those that run."""
        return self.containers(prefix, "--filter", "status=running")

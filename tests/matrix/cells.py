"""What the matrix is made of, and the clusters and controllers that its cells need."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from computer import Computer, Failed

CHECKOUT = Path(__file__).resolve().parents[2]
CLUSTER = CHECKOUT / "tests" / "cluster"
sys.path.insert(0, str(CLUSTER))

import images  # noqa: E402
from engine import Engine  # noqa: E402
from topology import state, suffix  # noqa: E402

__all__ = ["CONTROLLERS", "SHELLS", "Cell", "Clusters", "Failed"]


@dataclass(frozen=True)
class Controller:
    """A computer of a person: a release of Debian with its Python, and an ansible-core."""

    core: str
    release: str
    python: str


CONTROLLERS = (
    Controller("2.19", "bookworm", "3.11"),
    Controller("2.20", "trixie", "3.13"),
    Controller("2.21", "forky", "3.14"),
    Controller("2.21", "trixie", "3.13"),
)
# Each shell has an account and a node of its own: dev1 has Debian's Python, dev2 has none.
SHELLS = {
    "bash": ("ivan", "dev1"),
    "zsh": ("judy", "dev2"),
    "tcsh": ("kim", "dev1"),
    "fish": ("leo", "dev2"),
}


@dataclass(frozen=True)
class Cell:
    """One combination."""

    controller: Controller
    release: str
    shell: str

    @property
    def account(self) -> str:
        return SHELLS[self.shell][0]

    @property
    def node(self) -> str:
        return SHELLS[self.shell][1]

    def __str__(self) -> str:
        controller = f"ansible-core {self.controller.core} on Python {self.controller.python}"
        return f"{controller} | {self.release} {self.node} {self.shell}"


class Clusters:
    """The test cluster of the release in use, and the controllers that have been asked for."""

    def __init__(self, *, keep: bool, environment: dict[str, str]) -> None:
        self._keep = keep  # whether somebody else needs the cluster afterwards
        self._environment = environment
        self._release = ""
        self._containers: list[str] = []
        self._directory = tempfile.TemporaryDirectory()

    def __enter__(self) -> Clusters:
        argv = ["ansible-galaxy", "collection", "build", "--output-path", self._directory.name]
        built = [str(Path(sys.executable).with_name(argv[0])), *argv[1:]]
        subprocess.run(built, cwd=CHECKOUT, check=True, capture_output=True)
        self._archive = next(Path(self._directory.name).glob("*.tar.gz"))
        return self

    def __exit__(self, *_error: object) -> None:
        self._leave()
        self._directory.cleanup()

    def prepare(self, cell: Cell) -> None:
        """Bring up what the cell needs: the nodes, and a fresh account with this login shell."""
        if self._release != cell.release:
            self._leave()
            self._release = cell.release
        self._cluster("up")
        self._cluster("reset", cell.account)
        for host in ("gateway", "dev1", "dev2", "c1", "c2"):
            path = f"$(command -v {cell.shell})"
            self._cluster("root", host, "sh", "-c", f"usermod -s {path} {cell.account}")

    def root(self, host: str, program: str) -> None:
        """Have root's shell run it on a host."""
        self._cluster("root", host, "sh", "-c", program)

    def mount(self, host: str, calls: Sequence[str]) -> None:
        """Put file systems over directories of a host, as mounts.py takes them."""
        name = f"{self._prefix}{suffix(self._release)}-{host}"
        process = Engine(self._state).call("inspect", "--format", "{{.State.Pid}}", name)
        argv = [sys.executable, str(Path(__file__).with_name("mounts.py")), process, *calls]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed("mount", done.stderr)

    def computer(self, cell: Cell) -> Computer:
        """A controller with an empty home, in which the collection is installed."""
        engine = Engine(self._state)
        name = f"{self._prefix}-computer-{cell.controller.release}-{cell.controller.core}"
        engine.succeeds("rm", "--force", "--time", "0", name)
        self._containers.append(name)
        image = _image(engine, cell.controller.release)
        engine.call("run", "--detach", "--name", name, "--network", "host", image)
        computer = Computer(engine, name, cell)
        computer.receive(self._state, self._archive)
        return computer

    def _leave(self) -> None:
        if not self._release:
            return
        engine = Engine(self._state)
        for name in dict.fromkeys(self._containers):
            engine.succeeds("rm", "--force", "--time", "0", name)
        self._containers.clear()
        if not self._keep:
            self._cluster("down")

    def _cluster(self, *arguments: str) -> None:
        argv = [sys.executable, str(CLUSTER / "cluster.py"), *arguments]
        environment = {**self._environment, "HPCC_NOTEBOOK_DEBIAN": self._release}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"cluster.py {' '.join(arguments)}", done.stdout + done.stderr)

    @property
    def _state(self) -> Path:
        return state(self._release)

    @property
    def _prefix(self) -> str:
        return self._environment.get("HPCC_NOTEBOOK_CLUSTER", "hpcc-notebook")


def _image(engine: Engine, release: str) -> str:
    """The image of a controller, built when it is missing or its inputs have changed."""
    context = Path(__file__).parent
    cores = [each.core for each in CONTROLLERS if each.release == release]
    files = images.files_of(context / "Containerfile")
    name = f"localhost/hpcc-notebook-computer-{release}:{images.digest(context, files, *cores)}"
    if not engine.succeeds("image", "inspect", name):
        base = images.base(engine, print, release)
        values = [f"--build-arg=BASE={base}", f"--build-arg=CORES={' '.join(cores)}"]
        access = ["--network", "host", *images.certificates()]
        engine.call("build", "--tag", name, *values, *access, str(context))
    return name

"""The schedulers of the test cluster, as a person and a test ask them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from terminal import CLUSTER, STATE

USER = "judy"
NEIGHBOUR = "bob"
_GRIDENGINE = "/opt/gridengine/bin"


def on(host: str, command: str, *, user: str = USER, text: str = "") -> str:
    """Run a command there as the person."""
    argv = ["ssh", "-F", str(STATE / "ssh_config"), f"{user}@{host}", command]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def root(host: str, *command: str) -> str:
    """Break something, or mend it."""
    argv = [*CLUSTER, "root", host, *command]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


COMPUTE = ("c1", "c2")
_SSHD = "/etc/ssh/sshd_config"
# Slurm's own plugins for this want cgroups, which these containers lack: its daemon gets a /tmp of
# its own instead, which all of its jobs see and no login does.
_OWN_TMP = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def made(code):
    assert code == 0, os.strerror(ctypes.get_errno())
made(libc.unshare(0x20000))  # CLONE_NEWNS
made(libc.mount(None, b"/", None, 0x44000, None))  # MS_PRIVATE | MS_REC
made(libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, b"mode=1777"))
os.execvp("slurmd", ["slurmd", "-c"])
"""


@contextmanager
def refusing(line: str) -> Iterator[None]:
    """The sshd of each compute node has another line in its configuration."""
    for host in COMPUTE:
        root(host, "sh", "-c", f"cp {_SSHD} {_SSHD}.kept; echo '{line}' >> {_SSHD}; kill -HUP 1")
    try:
        yield
    finally:
        for host in COMPUTE:
            root(host, "sh", "-c", f"mv {_SSHD}.kept {_SSHD}; kill -HUP 1")
            until(host, f"ssh -o BatchMode=yes {host} true")


@contextmanager
def private_tmp() -> Iterator[None]:
    """The jobs of Slurm have a /tmp that no login sees."""
    for host in COMPUTE:
        _end_slurmd(host)
        privileged = [*CLUSTER, "root", "--privileged", host, "python3", "-"]
        subprocess.run(privileged, input=_OWN_TMP, text=True, check=True)
    _wait_for_nodes()
    try:
        yield
    finally:
        for host in COMPUTE:
            _end_slurmd(host)
            root(host, "slurmd", "-c")
        _wait_for_nodes()


def _end_slurmd(host: str) -> None:
    ended = 'p=$(cat /run/slurmd.pid); kill "$p"; while [ -d "/proc/$p" ]; do sleep 0.1; done'
    root(host, "sh", "-c", ended)


def _wait_for_nodes() -> None:
    until("gateway", '[ "$(sinfo -h -t idle -o %D)" = 2 ]')


def until(host: str, command: str) -> None:
    """Wait for a command to succeed; asked by somebody else."""
    on(host, f"for n in $(seq 150); do {command} && exit; sleep 0.2; done; exit 1", user=NEIGHBOUR)


@dataclass(frozen=True)
class Site:
    """One scheduler: what selects it, and its own commands."""

    name: str
    waits: str  # why a job waits in a full queue, in its words
    job_id: str  # as a cell finds it
    listing: str  # the ids of the person's jobs
    fill: str  # by somebody else, on both nodes
    full: str  # whether both of these run
    empty: str
    cancel: str  # the id of a job is added
    variables: Mapping[str, object] = field(default_factory=dict)
    defaults: str = ""  # ~/.config/cluster_helper.ini

    def select(self) -> None:
        """Have the person's own file of defaults name it."""
        on("dev1", "mkdir -p .config && cat > .config/cluster_helper.ini", text=self.defaults)

    def jobs(self) -> list[str]:
        """The person's jobs, as the scheduler lists them."""
        return on("gateway", self.listing).split()


SLURM = Site(
    name="slurm",
    waits="(Resources|Priority)",
    job_id="SLURM_JOB_ID",
    listing=f"squeue --noheader --user={USER} --format=%A",
    fill="for n in 1 2; do sbatch -c 4 -t 9 -o /dev/null --wrap 'sleep 500'; done",
    full=f'[ "$(squeue -h -u {NEIGHBOUR} -t R | wc -l)" = 2 ]',
    empty=f"scancel --user={NEIGHBOUR}",
    cancel="scancel",
    defaults="[cluster]\nscheduler = slurm\n",
)
GRIDENGINE = Site(
    name="gridengine",
    waits="queue instance .* dropped because it is full",
    job_id="JOB_ID",
    listing=f"{_GRIDENGINE}/qstat -u {USER} | awk 'NR > 2 {{ print $1 }}'",
    fill=f"for n in 1 2; do {_GRIDENGINE}/qsub -pe smp 4 -j y -o /dev/null -b y sleep 500; done",
    full=f'[ "$({_GRIDENGINE}/qstat -u {NEIGHBOUR} -s r | grep -c main@)" = 2 ]',
    empty=f"{_GRIDENGINE}/qdel -u {NEIGHBOUR}",
    cancel=f"{_GRIDENGINE}/qdel",
    variables={"nbserver_modules": ["gridengine"]},
    defaults="[cluster]\nscheduler = sge\n",
)

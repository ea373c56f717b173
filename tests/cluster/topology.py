"""What the test cluster consists of. Plain facts, no side effects."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The Debian release that the hosts are made of. Another than the usual one has names of its own.
USUAL_RELEASE = "bookworm"
RELEASES = ("bullseye", "bookworm", "trixie")
# Those that `make test` needs.
TESTED = (USUAL_RELEASE, "trixie")
RELEASE = os.environ.get("HPCC_NOTEBOOK_DEBIAN", USUAL_RELEASE)
# Tests that run at the same time have a cluster each: what one breaks, fills or stops is not the
# other's. pytest-xdist names its workers; the first of them has the usual cluster.
USUAL_WORKER = "gw0"
WORKER = os.environ.get("HPCC_NOTEBOOK_WORKER", os.environ.get("PYTEST_XDIST_WORKER", USUAL_WORKER))


def suffix(release: str, worker: str = WORKER) -> str:
    """What tells the names of a cluster from those of the usual one."""
    usual = {release: USUAL_RELEASE, worker: USUAL_WORKER}
    return "".join(f"-{name}" for name in usual if name != usual[name])


def state(release: str, worker: str = WORKER) -> Path:
    """Where a cluster keeps what people and tests read."""
    return HERE.parents[1] / f".cluster{suffix(release, worker)}"


STATE = state(RELEASE)
PREFIX = os.environ.get("HPCC_NOTEBOOK_CLUSTER", "hpcc-notebook") + suffix(RELEASE)
OUTER, INNER, HOME = f"{PREFIX}-outer", f"{PREFIX}-inner", f"{PREFIX}-home"
# Uids 1001, 1002 … on every host; the Containerfile creates them in this order.
ACCOUNTS = (
    *("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "mallory"),
    *("ivan", "judy", "kim", "leo"),
)
SSH_PORT, MIRROR_PORT = 2222, 8443


@dataclass(frozen=True)
class Host:
    """One container: its image, its number in the inner network, and what runs there."""

    name: str
    image: str
    number: int
    services: str = ""
    # The port inside that is published on the loopback address of this machine.
    published: int = 0
    open_to_all: bool = False

    @property
    def container(self) -> str:
        """The container's name."""
        return f"{PREFIX}-{self.name}"

    @property
    def runs_sshd(self) -> bool:
        """Everything but the mirror."""
        return self.image != "mirror"


GATEWAY = Host("gateway", "node", 10, "home slurmctld", published=22, open_to_all=True)
MIRROR = Host("mirror", "mirror", 11, published=443)
HOSTS = (
    GATEWAY,
    MIRROR,
    Host("dev1", "node", 21),
    Host("dev2", "bare", 22),
    Host("c1", "node", 31, "slurmd"),
    Host("c2", "node", 32, "slurmd"),
)
SSH_HOSTS = tuple(host for host in HOSTS if host.runs_sshd)
COMPUTE = tuple(host for host in HOSTS if "slurmd" in host.services.split())
# Starts a host's part of Grid Engine.
GRIDENGINE = "/opt/gridengine/etc/start"
IMAGES = ("mirror", "bare", "node")


def subnets() -> list[str]:
    """Candidates for the inner network; the first that is free is taken."""
    return [f"10.213.{third}.0/24" for third in range(7, 250, 11)]


def address(subnet: str, host: Host) -> str:
    """The host's address in the inner network."""
    return f"{subnet.rsplit('.', 1)[0]}.{host.number}"

"""A fresh account on the test cluster, and a free port on this machine.

Each worker of pytest-xdist has a cluster of its own: no file here asks what another one does.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import job_sites
import pytest
from connecting import STATE, USER, VARIABLES
from job_sites import GRIDENGINE, NEIGHBOUR, SLURM, Site, on, until
from jobs import WORDS, jobs, run
from terminal import CLUSTER, playbook


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an account whose home is as new; the cluster is removed in the end."""
    subprocess.run([*CLUSTER, "up"], check=True)
    subprocess.run([*CLUSTER, "reset", "alice"], check=True)
    yield "alice"
    if not hasattr(request.config, "workerinput"):
        subprocess.run([*CLUSTER, "down"], check=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the clusters of all workers in the end.

    When a network of this machine comes or goes, every browser on it gives up what it is loading
    (ERR_NETWORK_CHANGED): a worker that is ready must not do that to the other.
    """
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        for number in range(config.getoption("numprocesses", 0) or 0):
            environment = {**os.environ, "HPCC_NOTEBOOK_WORKER": f"gw{number}"}
            subprocess.run([*CLUSTER, "down"], check=True, env=environment)


@pytest.fixture(scope="session")
def local_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def first_run(account: str) -> dict[str, str]:
    """What setup and start print for a fresh account."""
    assert account != USER
    subprocess.run([*CLUSTER, "reset", USER], check=True)
    return {name: playbook(name, "-e", VARIABLES) for name in ("setup", "start")}


@pytest.fixture(scope="session")
def serving(first_run: dict[str, str]) -> str:
    """An account with a running server."""
    assert first_run
    return USER


@pytest.fixture
def options(serving: str, local_port: int) -> list[str]:
    """What every command line here ends with."""
    return ["-e", f"ansible_user={serving}", "-e", f"nbserver_local_port={local_port}"]


@pytest.fixture
def ways(tmp_path: Path) -> Path:
    """A configuration of ssh that also knows the second sshds, by names of their own."""
    config = tmp_path / "config"
    stanzas = "".join(
        f"Host {name}\n  HostName {host}\n  Port {port}\n  HostKeyAlias {alias}\n"
        f"  ProxyJump {USER}@gateway\n"
        for name, host, port, alias in (
            ("strict-gateway", "gateway", 2022, "gateway"),
            ("no-sockets", "dev1", 2023, "dev1"),
            ("no-forwarding", "dev1", 2024, "dev1"),
            ("asking-gateway", "gateway", 2025, "gateway"),
            ("stranger", "dev1", 22, "stranger"),
            ("changed", "dev1", 22, "changed"),
        )
    )
    config.write_text(stanzas + (STATE / "ssh_config").read_text())
    return config


@pytest.fixture(scope="module")
def ready(account: str) -> str:
    """The account that has an installation and runs jobs."""
    assert account != job_sites.USER
    subprocess.run([*CLUSTER, "gridengine"], check=True)
    subprocess.run([*CLUSTER, "reset", job_sites.USER, NEIGHBOUR], check=True)
    playbook("setup", "-e", WORDS)
    return job_sites.USER


@pytest.fixture(params=[SLURM, GRIDENGINE], ids=lambda site: site.name)
def site(request: pytest.FixtureRequest, ready: str) -> Iterator[Site]:
    """One scheduler after the other."""
    assert ready
    chosen: Site = request.param
    chosen.select()
    yield chosen
    run("stop", chosen)
    SLURM.select()


@pytest.fixture
def nothing_is_left(ready: str) -> Iterator[None]:
    """Whatever happens: no job, and no process of the person's on a compute node."""
    yield
    run("stop")
    assert jobs() == []
    for host in ("c1", "c2"):
        processes = f"ps -u {ready} -o args= | grep -v 'sshd\\|ps -u\\|grep\\|bash' || :"
        assert on(host, processes) == ""
        left = on(host, "ls -A /tmp/nbserver-$(id -u)/ 2>/dev/null || :").split()
        assert left in ([], ["runtime"])


@pytest.fixture
def full_queue(site: Site) -> Iterator[Site]:
    """Somebody else has all the cores."""
    on("gateway", site.fill, user=NEIGHBOUR)
    until("gateway", site.full)
    yield site
    on("gateway", f"{site.empty} || :", user=NEIGHBOUR)

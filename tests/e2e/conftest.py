"""A fresh account on the test cluster, and a free port on this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from terminal import CHECKOUT

CLUSTER = [sys.executable, str(CHECKOUT / "tests" / "cluster" / "cluster.py")]


@pytest.fixture(scope="session")
def account() -> Iterator[str]:
    """The name of an account whose home is as new; the cluster is removed in the end."""
    subprocess.run([*CLUSTER, "up"], check=True)
    subprocess.run([*CLUSTER, "reset", "alice"], check=True)
    yield "alice"
    subprocess.run([*CLUSTER, "down"], check=True)


@pytest.fixture(scope="session")
def local_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

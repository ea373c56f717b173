"""A second sshd on a host of the cluster, with settings of its own, for as long as a test lasts."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from terminal import CLUSTER


def as_root(host: str, script: str) -> str:
    """Run a shell script as root on a host of the cluster."""
    command = [*CLUSTER, "root", host, "sh", "-c", script]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def second_sshd(host: str, port: int, *options: str) -> Iterator[None]:
    """Listen on another port of the host; the first sshd stays as it is."""
    pid = f"/run/sshd-{port}.pid"
    given = " ".join(f"-o '{option}'" for option in (*options, f"PidFile={pid}"))
    as_root(host, f"/usr/sbin/sshd -p {port} {given}")
    until = time.monotonic() + 20
    while not as_root(host, f"ss -Hltn 'sport = :{port}'"):
        assert time.monotonic() < until, f"no sshd on port {port} of {host}"
        time.sleep(0.1)
    try:
        yield
    finally:
        as_root(host, f"kill $(cat {pid})")

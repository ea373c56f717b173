"""A real sshd on a port of this machine, for as long as a test lasts, and a way to log in to it."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.running import end

_SETTINGS = """
HostKey {place}/host_key
PidFile none
AuthorizedKeysFile {place}/key.pub
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PrintMotd no
ListenAddress 127.0.0.1
Port {port}
"""
_LOGIN = """
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {place}/key
    IdentitiesOnly yes
    UserKnownHostsFile {place}/known_hosts
    HostKeyAlias node
"""


@dataclass(frozen=True)
class Sshd:
    """Where it listens, and the directory with its keys."""

    place: Path
    port: int

    def config(self, above: str = "", inside: str = "", hosts: str = "dev1") -> Path:
        """A configuration of ssh in which these names lead to it."""
        path = self.place / f"config-{len(list(self.place.glob('config-*')))}"
        login = _LOGIN.format(place=self.place, port=self.port, user=getpass.getuser())
        path.write_text(f"{above}\nHost {hosts}{login}{inside}\n")
        return path


@contextmanager
def sshd(place: Path, *settings: str) -> Iterator[Sshd]:
    """One that takes the key in `place`; what its configuration says first, holds."""
    place.mkdir(exist_ok=True)
    _make_keys(place)
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    if os.geteuid() == 0:  # where the unprivileged half of it is locked in
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    config = place / f"sshd_config-{port}"
    config.write_text("\n".join(settings) + _SETTINGS.format(place=place, port=port))
    with (
        (place / "sshd.log").open("ab") as log,
        subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stderr=log) as running,
    ):
        try:
            _wait(port, running, place / "sshd.log")
            yield Sshd(place, port)
        finally:
            end(running)


def _make_keys(place: Path) -> None:
    for name in ("host_key", "key"):
        if not (place / name).exists():
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)]
            subprocess.run(make, check=True)
    known = (place / "host_key.pub").read_text().split()[:2]
    (place / "known_hosts").write_text(f"node {' '.join(known)}\n")


def _wait(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 20
    while running.poll() is None and time.monotonic() < until:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"no sshd: {log.read_text()}")

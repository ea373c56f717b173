"""What makes one cluster different from the next: keys, certificates, and who trusts whom."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import render
from engine import run
from topology import HOSTS, MIRROR, SSH_HOSTS

HOST_KEY = "ssh_host_ed25519_key"


def hosts_directory(state: Path, name: str) -> Path:
    """What the host finds under /run/cluster."""
    return state / "hosts" / name


def ssh_key(path: Path, comment: str) -> str:
    """A new key pair; gives the public key without its comment."""
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    public = path.with_name(f"{path.name}.pub").read_text(encoding="ascii")
    return " ".join(public.split()[:2])


def new_key(path: Path) -> list[str]:
    """The options of openssl that make an EC key."""
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(path)]


def make_authority(state: Path) -> None:
    """The cluster's own certificate authority."""
    argv = ["openssl", "req", "-x509", "-days", "90", "-subj", "/CN=hpcc.notebook test cluster"]
    extensions = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    run([*argv, *extensions, *new_key(state / "ca.key"), "-out", str(state / "ca.pem")])


def make_mirror_certificate(state: Path) -> None:
    """The mirror's key, and its certificate signed by the authority."""
    directory = hosts_directory(state, MIRROR.name)
    names = directory / "names"
    names.write_text(
        "subjectAltName=DNS:mirror,DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:false\n"
        "extendedKeyUsage=serverAuth\n",
        encoding="ascii",
    )
    request = str(directory / "mirror.csr")
    run(
        [
            "openssl",
            "req",
            "-new",
            "-subj",
            "/CN=mirror",
            *new_key(directory / "mirror.key"),
            "-out",
            request,
        ]
    )
    authority = ["-CA", str(state / "ca.pem"), "-CAkey", str(state / "ca.key"), "-CAcreateserial"]
    signed = ["-extfile", str(names), "-days", "90", "-out", str(directory / "mirror.crt")]
    run(["openssl", "x509", "-req", "-in", request, *authority, *signed])


def write_for_everybody(state: Path, subnet: str, keys: dict[str, str]) -> None:
    """What every host with an sshd needs."""
    munge_key = secrets.token_bytes(1024)
    operator = (state / "id_ed25519.pub").read_text(encoding="ascii")
    (state / "known_hosts").write_text(render.known_hosts(keys, subnet), encoding="ascii")
    for host in SSH_HOSTS:
        directory = hosts_directory(state, host.name)
        shutil.copy(state / "ca.pem", directory)
        shutil.copy(state / "known_hosts", directory)
        (directory / "munge.key").write_bytes(munge_key)
        (directory / "authorized_keys").write_text(operator, encoding="ascii")
        (directory / "shosts.equiv").write_text(render.shosts_equiv(subnet), encoding="ascii")
        (directory / "accounts").write_text(render.accounts(), encoding="ascii")


def create(state: Path, subnet: str) -> None:
    """Everything new, below the state directory."""
    for host in HOSTS:
        directory = hosts_directory(state, host.name)
        directory.parent.mkdir(exist_ok=True)
        directory.mkdir(mode=0o700)
    ssh_key(state / "id_ed25519", "operator of the test cluster")
    make_authority(state)
    make_mirror_certificate(state)
    keys = {
        host.name: ssh_key(hosts_directory(state, host.name) / HOST_KEY, host.name)
        for host in SSH_HOSTS
    }
    write_for_everybody(state, subnet, keys)

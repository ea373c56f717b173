"""A login that is open to one cluster is never taken for one to another one's node of that name."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import diagnose
from ansible_collections.hpcc.notebook.plugins.modules import ssh_config_block
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import own_ssh, printed_tunnel
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import (
    NotConnected,
    Session,
)
from greeting import greeting, opens
from modules import run_module
from own_sshd import Sshd, sshd

WAIT = 10.0
SERVER = {"host": "dev1", "user": getpass.getuser(), "transport": "socket"}
WHICH = 'echo "port=${SSH_CONNECTION##* }"'


def _probe(tmp: Path, *words: str) -> str:
    argv = ["ssh", "-G", "-F", "none", "-S", str(tmp / "%C"), *words, "dev1"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20).stdout
    return next(line for line in said.splitlines() if line.startswith("controlpath"))


GATEWAY_IN_C = _probe(Path("/tmp")) != _probe(Path("/tmp"), "-J", "gw")  # since OpenSSH 9.6


def own_configuration(place: Path, text: str) -> str:
    """An ssh whose user has this in ~/.ssh/config, which a test leaves alone."""
    (place / "own").write_text(text)
    program = place / "ssh"
    program.write_text(f'#!/bin/sh\nexec ssh -F {place}/own "$@"\n')
    program.chmod(0o700)
    return str(program)


@pytest.mark.parametrize(
    ("path", "own", "words", "elsewhere"),
    [
        ("~/%C", "", "alice@dev1", False),
        ("~/%C", "", "-p 22 -o HostName=dev1.b.example dev1", False),
        ("~/%C", "", "-J gw dev1", not GATEWAY_IN_C),
        ("~/%r@%h:%p", "", "-J gw dev1", True),
        ("~/%C", "", "-o ProxyJump=gw dev1", not GATEWAY_IN_C),
        ("~/%C", "ProxyJump gw", "-J alice@login.example.org dev1", False),
        ("~/%C", "ProxyJump gw", "-J alice@gw.b.example dev1", not GATEWAY_IN_C),
        ("~/%C", "ProxyJump gw", "-J bob@gw dev1", not GATEWAY_IN_C),
        ("~/%C", "ProxyJump gw", "-J none dev1", not GATEWAY_IN_C),
        ("~/%C", "ProxyJump gw", "dev1", False),
        ("~/%C", "ProxyCommand ssh gw nc %h %p", "dev1", False),
        ("~/%C", "", "-o 'ProxyCommand=ssh gw nc %h %p' dev1", True),
        ("~/%C", "ProxyCommand ssh gw nc %h %p", "-o 'ProxyCommand=ssh b nc %h %p' dev1", True),
        ("~/%C", "ProxyCommand ssh gw nc %h %p", "-J gw dev1", True),
        ("~/%r@%n", "", "-o HostName=dev1.b.example dev1", True),
        ("~/%n", "HostName dev1.b.example", "-o HostName=dev1.b.example dev1", False),
        ("~/%r@%h", "", "-p 2222 dev1", True),
        ("~/%h:%p", "", "alice@dev1", True),
        ("~/%h:%p", "User alice", "alice@dev1", False),
        ("~/%h:%p", "", "-l alice dev1", True),
        ("~/one", "", "dev1", False),
        ("none", "", "-J gw dev1", False),
    ],
)
def test_what_only_the_inventory_says_has_to_show_in_the_path(
    path: str, own: str, words: str, elsewhere: bool, tmp_path: Path
) -> None:
    text = f"Host gw\n HostName login.example.org\n User alice\nHost dev1\n {own}\nHost *\n"
    program = own_configuration(tmp_path, f"{text} ControlPath {path}\n")
    given = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {words}"], capture_output=True, text=True, check=True
    )
    assert own_ssh.may_lead_elsewhere(given.stdout.splitlines(), program) is elsewhere


def test_what_a_file_of_the_inventory_says_counts_as_the_inventorys(tmp_path: Path) -> None:
    share = f"Host *\n ControlPath {tmp_path}/%C\n"
    (tmp_path / "a.cfg").write_text(f"Host dev1\n ProxyCommand ssh a nc %h %p\n{share}")
    assert own_ssh.may_lead_elsewhere(["-F", str(tmp_path / "a.cfg"), "dev1"])
    (tmp_path / "a.cfg").write_text(f"Host dev1\n HostName dev1.a.example\n{share}")
    assert not own_ssh.may_lead_elsewhere(["-F", str(tmp_path / "a.cfg"), "dev1"])


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sshd, Sshd]]:
    """Two, with one key and one known host; the first forwards no socket."""
    place = tmp_path_factory.mktemp("sshd")
    with sshd(place, "AllowStreamLocalForwarding no") as first, sshd(place) as second:
        yield first, second


@pytest.fixture
def to_the_first(clusters: tuple[Sshd, Sshd], tmp_path: Path) -> Iterator[str]:
    """An ssh whose user has a login open to the first's dev1, and the inventory of the second."""
    with TemporaryDirectory(prefix="cm-") as short:  # pytest's own are too long for a socket
        yield from logged_in(clusters, tmp_path, short)


def logged_in(clusters: tuple[Sshd, Sshd], tmp_path: Path, short: str) -> Iterator[str]:
    first, second = clusters
    share = f"Host dev1\n    ControlPath {short}/%C\n"
    program = own_configuration(tmp_path, second.config(share, hosts="dev1 gw").read_text())
    login = [program, *by_a_command(program, first), "dev1"]
    quiet = {"stderr": subprocess.DEVNULL, "timeout": 30}
    subprocess.run([login[0], "-M", "-N", "-f", *login[1:]], check=True, **quiet)
    yield program
    subprocess.run([login[0], "-O", "exit", *login[1:]], check=True, **quiet)


def by_a_command(program: str, node: Sshd) -> list[str]:
    return ["-o", f"ProxyCommand={program} -W 127.0.0.1:{node.port} gw"]


def words_of(way: str, program: str, node: Sshd) -> list[str]:
    """What the inventory of a cluster adds."""
    return ["-J", "gw"] if way == "jump" else by_a_command(program, node)


WAYS = pytest.mark.parametrize("way", ["jump", "command"])


@WAYS
def test_connect_and_doctor_end_on_the_cluster_of_the_inventory(
    way: str, clusters: tuple[Sshd, Sshd], to_the_first: str, tmp_path: Path
) -> None:
    first, second = clusters
    words = [*words_of(way, to_the_first, second), "dev1"]
    if way == "command" or not GATEWAY_IN_C:
        plain = subprocess.run(
            [to_the_first, *words, WHICH], capture_output=True, text=True, check=True, timeout=30
        )
        assert plain.stdout == f"port={first.port}\n", "what ssh does by itself"
    told: list[str] = []
    (tmp_path / "p").mkdir(mode=0o700)
    login = Session(words, tmp_path / "p" / "way0", os.environ, told.append, program=to_the_first)
    try:
        try:
            login.open()
        except NotConnected as reason:
            raise AssertionError(diagnose(str(reason))) from reason
        assert login.run(WHICH, WAIT).stdout == f"port={second.port}\n"
        assert not login.shared
    finally:
        login.close()
        assert any("may lead to another cluster" in line for line in told), told


@WAYS
def test_the_printed_tunnel_and_the_block_end_there_too(
    way: str, clusters: tuple[Sshd, Sshd], to_the_first: str, tmp_path: Path, free_port: int
) -> None:
    server = {**SERVER, "socket": f"{tmp_path}/notebook.sock"}
    words = words_of(way, to_the_first, clusters[1])
    dev = {
        "inventory_hostname": "dev1",
        "ansible_ssh_executable": to_the_first,
        "ansible_ssh_common_args": shlex.join(words),
    }
    found = printed_tunnel.printed(server, dev, None, free_port, None)
    assert not found.remarks, "nothing is shared"
    config = tmp_path / "config"
    config.write_text((tmp_path / "own").read_text())
    typed = shlex.split(found.command)
    block = shlex.join(["ssh", *(word for word in typed[1:] if word not in ("-S", "none"))])
    run_module(ssh_config_block, path=str(config), command=block)
    with greeting(tmp_path / "notebook.sock"):
        opens(typed, free_port, tmp_path)
        opens(["ssh", "-F", str(config), "nbserver-tunnel"], free_port, tmp_path)
        login = ["ssh", "-F", str(config), "nbserver", WHICH]
        said = subprocess.run(login, capture_output=True, text=True, check=True, timeout=30)
        assert said.stdout == f"port={clusters[1].port}\n"

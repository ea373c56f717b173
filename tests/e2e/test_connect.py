"""connect.yml at a terminal: it opens the way, proves the server, keeps it, and leaves nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
from sshd import CLUSTER, as_root, second_sshd
from terminal import BIN, CHECKOUT, COLOUR, environment, playbook

USER = "grace"
STATE = CHECKOUT / ".cluster"
PASSWORD = "a walk along the Red Cedar"
VARIABLES = json.dumps({"ansible_user": USER, "nbserver_profile_password": PASSWORD})
# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
GREETING = r"This window keeps the connection"


@pytest.fixture(scope="module")
def serving(account: str) -> str:
    """An account with a running server."""
    assert account != USER
    subprocess.run([*CLUSTER, "reset", USER], check=True)
    playbook("setup", "-e", VARIABLES)
    playbook("start", "-e", VARIABLES)
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


def common(config: Path, jump: str) -> list[str]:
    given = {"ansible_ssh_common_args": f"-F {config} -J {USER}@{jump}"}
    return ["-e", json.dumps(given)]


@contextmanager
def connecting(*more: str, env: dict[str, str] | None = None) -> Iterator[pexpect.spawn]:
    """Type the command and watch; whatever happens, it is ended as a person would."""
    words = ["playbooks/connect.yml", "-i", str(STATE / "inventory.ini"), *more]
    terminal = pexpect.spawn(
        str(BIN / "ansible-playbook"), words, cwd=str(CHECKOUT), encoding="utf-8", timeout=90,
        dimensions=(50, 400), env={**environment(), "ANSIBLE_NOCOLOR": "1", **(env or {})},
    )  # fmt: skip
    try:
        yield terminal
    finally:
        if terminal.isalive():
            terminal.sendcontrol("c")
            terminal.expect(pexpect.EOF, timeout=30)
        terminal.close()
        assert not ours(), "no ssh is left"


def ends(terminal: pexpect.spawn) -> str:
    """Everything until it ends by itself, with a failure."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 2
    printed = COLOUR.sub("", terminal.before or "")
    assert "Traceback" not in printed
    return printed


def ours() -> list[int]:
    """The master connections that connect has opened."""
    said = subprocess.run(["pgrep", "-f", "^ssh .*/nbserver-[^/]*/way"], capture_output=True)
    return [int(pid) for pid in said.stdout.split()]


def login_page(port: int) -> str:
    command = [
        "curl",
        "-sk",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        f"https://127.0.0.1:{port}/login",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def gateway_listeners() -> str:
    return as_root("gateway", "ss -Hltn | awk '{print $4}' | sort")


def test_it_leads_to_our_server_until_ctrl_c_and_leaves_nothing(
    options: list[str], local_port: int
) -> None:
    before = gateway_listeners()
    with connecting(*options) as terminal:
        terminal.expect(GREETING)
        assert login_page(local_port) == "200"
        assert gateway_listeners() == before, "nothing listens on the gateway"
        terminal.sendcontrol("c")
        terminal.expect(pexpect.EOF)
    assert not list(Path("/tmp").glob("nbserver-*/way*"))
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", local_port)) != 0


def test_a_lost_connection_is_said_and_opened_again(options: list[str], local_port: int) -> None:
    with connecting(*options) as terminal:
        terminal.expect(GREETING)
        os.kill(ours()[0], signal.SIGKILL)
        terminal.expect(r"The connection was lost \(ssh has ended\)")
        terminal.expect(r"Trying again in 1 s")
        terminal.expect(r"Connected again after \d+ s: https://127.0.0.1")
        assert login_page(local_port) == "200"


def test_no_ssh_outlives_an_ansible_that_was_killed(options: list[str]) -> None:
    with connecting(*options) as terminal:
        terminal.expect(GREETING)
        os.kill(terminal.pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while ours() and time.monotonic() < until:
            time.sleep(0.2)


def test_the_browser_is_opened_when_asked_for(
    options: list[str], local_port: int, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(opened))}\n')
    browser.chmod(0o700)
    asked = [*options, "-e", "nbserver_open_browser=true"]
    with connecting(*asked, env={"BROWSER": f"{browser} %s"}) as terminal:
        terminal.expect(GREETING)
        until = time.monotonic() + 20
        while not opened.exists() and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.2)
        assert opened.read_text() == f"https://127.0.0.1:{local_port}\n"


def test_a_taken_port_is_named_with_its_holder(options: list[str], local_port: int) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", local_port))
        held.listen()
        with connecting(*options) as terminal:
            said = ends(terminal)
    assert f"port {local_port} of this computer is taken by" in said
    assert f"(pid {os.getpid()})" in said
    assert re.search(r"choose another port: -e nbserver_local_port=\d+", said)


IMPOSTOR = """
    cd /tmp && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
        -subj /CN=localhost -keyout impostor.key -out impostor.crt 2>/dev/null
    chown mallory impostor.*
    setsid -f setpriv --reuid=mallory --regid=mallory --clear-groups openssl s_server -quiet -www \
        -accept 127.0.0.1:9443 -cert impostor.crt -key impostor.key </dev/null >/dev/null 2>&1
"""


def test_a_neighbour_who_serves_in_our_place_is_recognised(
    options: list[str], serving: str, tmp_path: Path
) -> None:
    record = f"/home/{serving}/.ipython/profile_nbserver/run/dev1.json"
    over_tcp = (
        """-e 's/"transport": "socket"/"transport": "tcp"/' -e 's/"port": [0-9]*/"port": 9443/'"""
    )
    opened = tmp_path / "opened"
    asked = [*options, "-e", "nbserver_open_browser=true"]
    as_root("dev1", f"cp -p {record} {record}.kept; sed -i {over_tcp} {record}; {IMPOSTOR}")
    try:
        with connecting(*asked, env={"BROWSER": f"touch {opened}"}) as terminal:
            said = ends(terminal)
    finally:
        as_root("dev1", f"mv {record}.kept {record}; pkill -u mallory; rm /tmp/impostor.*")
    assert "the server does not show the profile's certificate" in said
    assert GREETING not in said
    assert not opened.exists()


def test_a_gateway_that_forbids_jumping_is_passed_by_a_relay(
    options: list[str], ways: Path, local_port: int
) -> None:
    through = common(ways, "strict-gateway")
    with second_sshd("gateway", 2022, "AllowTcpForwarding=no"):
        with connecting(*options, *through) as terminal:
            said = ends(terminal)
        assert "the gateway: it forbids to jump over it" in said
        printed = re.search(r"^ +(ssh -N .*)$", said.replace("\r", ""), re.MULTILINE)
        assert printed, said
        relay = subprocess.Popen(shlex.split(printed[1]), stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: login_page(local_port) == "200")
        finally:
            relay.terminate()
            relay.wait()
        with connecting(*options, *through, "-e", "nbserver_tunnel=relay") as terminal:
            terminal.expect(GREETING)
            assert login_page(local_port) == "200"


def wait_for(condition: object) -> None:
    until = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("name", "port", "setting", "reason", "advice"),
    [
        ("no-sockets", 2023, "AllowStreamLocalForwarding=no", "forward sockets", "transport=tcp"),
        ("no-forwarding", 2024, "DisableForwarding=yes", "every forwarding", "Ask the site"),
    ],
)
def test_a_node_that_forbids_forwarding_is_recognised(
    options: list[str], ways: Path, name: str, port: int, setting: str, reason: str, advice: str
) -> None:
    through = [*common(ways, "gateway"), "-e", f"ansible_host={name}"]
    with second_sshd("dev1", port, setting), connecting(*options, *through) as terminal:
        said = ends(terminal)
    assert re.search(f"dev1: it forbids (to )?{reason}", said)
    assert advice in said
    over_tcp = re.search(r"ssh -N .* -L 127.0.0.1:\d+:127.0.0.1:8888 grace@no-sockets", said)
    assert bool(over_tcp) == (advice == "transport=tcp")


def test_an_unknown_host_key_stops_it_and_is_shown(options: list[str], ways: Path) -> None:
    through = [*common(ways, "gateway"), "-e", "ansible_host=stranger"]
    with connecting(*options, *through) as terminal:
        said = ends(terminal)
    key = as_root("dev1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert "stranger: its host key is not known to this computer: ED25519 " + key in said
    assert "Compare it with the fingerprint that the site publishes" in said


def test_a_changed_host_key_stops_it_and_is_shown(
    options: list[str], ways: Path, tmp_path: Path
) -> None:
    gateways = next(
        line for line in (STATE / "known_hosts").read_text().splitlines()
        if line.startswith("gateway")
    )  # fmt: skip
    known = tmp_path / "known_hosts"
    known.write_text(
        (STATE / "known_hosts").read_text() + gateways.replace("gateway", "changed", 1) + "\n"
    )
    ways.write_text(ways.read_text().replace(str(STATE / "known_hosts"), str(known)))
    through = [*common(ways, "gateway"), "-e", "ansible_host=changed"]
    with connecting(*options, *through) as terminal:
        said = ends(terminal)
    key = as_root("dev1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert f"changed: its host key has changed, to ED25519 {key}" in said
    assert f"ssh-keygen -R changed -f {known}" in said


def test_the_two_hop_form_is_printed_with_its_warning(options: list[str]) -> None:
    with connecting(*options, "-e", "nbserver_tunnel=two_hop") as terminal:
        terminal.expect(r"ssh -t .* -L 127.0.0.1:\d+:127.0.0.1:\d+ .*ssh -N")
        terminal.expect("Warning: any user of the gateway can listen on its port")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 0


def test_a_login_file_that_hangs_is_said(options: list[str], serving: str) -> None:
    """The command on the node gets 30 seconds; the test shortens nothing."""
    bashrc = f"/home/{serving}/.bashrc"
    as_root("dev1", f"cp -p {bashrc} {bashrc}.kept && sed -i '1i sleep 300' {bashrc}")
    try:
        with connecting(*options) as terminal:
            said = ends(terminal)
    finally:
        as_root("dev1", f"mv {bashrc}.kept {bashrc}; pkill -u {serving} sleep")
    assert "no answer within 30 seconds" in said
    assert ".bashrc" in said


def test_a_stopped_server_is_said_with_how_to_start_it(options: list[str]) -> None:
    playbook("stop", "-e", VARIABLES)
    with connecting(*options) as terminal:
        said = ends(terminal)
    assert "dev1: no notebook server is running" in said
    assert "ansible-playbook hpcc.notebook.start" in said

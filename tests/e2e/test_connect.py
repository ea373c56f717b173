"""connect.yml at a terminal: it opens the way, proves the server, keeps it, and leaves nothing."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import time
from pathlib import Path

import pexpect
import pytest
from connecting import (
    GREETING,
    STATE,
    VARIABLES,
    common,
    connecting,
    ends,
    login_page,
    of_ansible,
    opens,
    ours,
    places,
    wait_for,
)
from sshd import as_root, second_sshd
from terminal import Tunnel, playbook

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)


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
        terminal.close()
    assert terminal.exitstatus == 0
    assert "ERROR" not in terminal.before
    assert not [way for place in places() for way in place.glob("way*")]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", local_port)) != 0


@pytest.mark.parametrize("whose", ["ours", "Ansible's"])
def test_a_lost_connection_is_said_and_opened_again(
    whose: str, options: list[str], local_port: int
) -> None:
    lay_login(whose)
    with connecting(*options) as terminal:
        terminal.expect(GREETING)
        logins = {"ours": ours(), "Ansible's": of_ansible()}
        assert [name for name, pids in logins.items() if pids] == [whose], "one serves both"
        os.kill(logins[whose][0], signal.SIGKILL)
        terminal.expect(r"The connection was lost \(ssh has ended\)")
        terminal.expect(r"Trying again in 1 s")
        terminal.expect(r"Connected again after \d+ s: https://127.0.0.1")
        assert login_page(local_port) == "200"


def lay_login(whose: str) -> None:
    """None that Ansible keeps open, or one that it has just used."""
    of_ansible("exit")
    wait_for(lambda: not of_ansible())
    if whose == "Ansible's":
        playbook("status", "-e", VARIABLES)


@pytest.mark.parametrize("whose", ["ours", "Ansible's"])
def test_nothing_leads_there_any_more_when_ansible_was_killed(
    whose: str, options: list[str], local_port: int
) -> None:
    lay_login(whose)
    with connecting(*options) as terminal:
        terminal.expect(GREETING)
        assert login_page(local_port) == "200"
        os.kill(terminal.pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while (ours() or login_page(local_port) == "200") and time.monotonic() < until:
            time.sleep(0.2)
        assert not ours()
        assert login_page(local_port) == "000"


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


@pytest.mark.fault("F59 on this computer")
def test_a_taken_port_is_named_with_its_holder(options: list[str], local_port: int) -> None:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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


@pytest.mark.fault("F73 gateway")
def test_a_gateway_that_forbids_jumping_is_passed_by_a_relay(
    options: list[str], ways: Path, local_port: int
) -> None:
    through = common(ways, "strict-gateway")
    with second_sshd("gateway", 2022, "AllowTcpForwarding=no"):
        with connecting(*options, *through) as terminal:
            said = ends(terminal)
        assert "the gateway: it does not allow ProxyJump" in said
        printed = re.search(r"^ +(ssh -N .*)$", said.replace("\r", ""), re.MULTILINE)
        assert printed, said
        opens(shlex.split(printed[1]), local_port)
        with connecting(*options, *through, "-e", "nbserver_tunnel=relay") as terminal:
            terminal.expect(GREETING)
            assert login_page(local_port) == "200"


@pytest.mark.fault("F73 node")
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
    assert re.search(f"dev1: it forbids (to )?{reason}", said), said
    assert advice in said
    over_tcp = re.search(r"ssh -N .* -L 127.0.0.1:\d+:127.0.0.1:8888 grace@no-sockets", said)
    assert bool(over_tcp) == (advice == "transport=tcp")


def test_a_name_that_leads_to_another_node_is_said_and_the_right_one_printed(
    options: list[str], ways: Path, local_port: int
) -> None:
    """As where one name stands for several nodes, and the login ends on one of them."""
    through = [*common(ways, "gateway"), "-e", "ansible_host=c1"]
    with connecting(*options, *through) as terminal:
        said = ends(terminal)
    assert "the server runs on dev1, this login ended on c1" in said
    printed = re.search(r"^ +(ssh -N .* grace@dev1)\r?$", said, re.MULTILINE)
    assert printed, said
    opens(shlex.split(printed[1]), local_port)


@pytest.mark.fault("F75 unknown key")
def test_an_unknown_host_key_stops_it_and_is_shown(options: list[str], ways: Path) -> None:
    through = [*common(ways, "gateway"), "-e", "ansible_host=stranger"]
    with connecting(*options, *through) as terminal:
        said = ends(terminal)
    key = as_root("dev1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert "stranger: its host key is not known to this computer: ED25519 " + key in said
    assert "Compare it with the fingerprint that the site publishes" in said


@pytest.mark.fault("F75 changed key")
@pytest.mark.threat(17)
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


def test_the_two_hop_form_is_printed_and_leads_over_no_port_of_the_gateway(
    options: list[str], local_port: int
) -> None:
    with connecting(*options, "-e", "nbserver_tunnel=two_hop") as terminal:
        terminal.expect(r"(ssh -t [^\r]* -L 127.0.0.1:\d+:/home/[^\r]*ssh -N[^\r]*)\r")
        command = terminal.match[1]
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 0
    assert "Warning" not in terminal.before
    before = gateway_listeners()
    for _twice in "ab":  # the socket of the first time is in nobody's way
        with Tunnel(command, local_port):
            wait_for(lambda: login_page(local_port) == "200")
            assert gateway_listeners() == before


def test_the_short_name_is_written_on_request_works_and_is_removed(
    options: list[str], ways: Path, local_port: int
) -> None:
    before = ways.read_text()
    given = [*options, *common(ways, "gateway"), "-e", f"nbserver_ssh_config_file={ways}"]
    with connecting(*given, "-e", "nbserver_ssh_config=present", "--check", "--diff") as terminal:
        terminal.expect("\\+Host nbserver")
        terminal.expect(pexpect.EOF)
    assert ways.read_text() == before, "a check run writes nothing"
    with connecting(*given, "-e", "nbserver_ssh_config=present") as terminal:
        terminal.expect(GREETING)
    opens(["ssh", "-F", str(ways), "nbserver-tunnel"], local_port)
    with connecting(*given, "-e", "nbserver_ssh_config=absent") as terminal:
        terminal.expect(pexpect.EOF)
    assert ways.read_text() == before


def test_a_stopped_server_is_said_with_how_to_start_it(options: list[str]) -> None:
    playbook("stop", "-e", VARIABLES)
    try:
        with connecting(*options) as terminal:
            said = ends(terminal)
    finally:
        playbook("start", "-e", VARIABLES)
    assert "dev1: no notebook server is running" in said
    assert "ansible-playbook hpcc.notebook.start" in said

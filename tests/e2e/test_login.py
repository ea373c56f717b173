"""A gateway that asks for a code: asked on the terminal, or once for everything."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from connecting import GREETING, USER, common, connecting, login_page
from sshd import as_root, second_sshd
from terminal import playbook

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
CODE = "314159 canary"


@pytest.fixture
def asking(serving: str) -> Iterator[str]:
    """A second sshd of the gateway that takes no key, and asks by keyboard-interactive."""
    as_root("gateway", f"echo '{serving}:{CODE}' | chpasswd")
    settings = (
        "UsePAM=yes",
        "KbdInteractiveAuthentication=yes",
        "AuthenticationMethods=keyboard-interactive",
        "Banner=/etc/issue.net",
    )
    with second_sshd("gateway", 2025, *settings):
        yield "asking-gateway"
    as_root("gateway", f"usermod --password '*' {serving}")


@pytest.mark.fault("F74 asked at connect")
@pytest.mark.usefixtures("asking")
def test_connect_asks_on_the_terminal_what_ssh_asks(
    options: list[str], ways: Path, local_port: int
) -> None:
    with connecting(*options, *common(ways, "asking-gateway")) as terminal:
        terminal.expect("Debian GNU/Linux")  # its banner
        terminal.expect(r"\(grace@\S+\) Password:")
        terminal.sendline(CODE)
        terminal.expect(GREETING)
        assert CODE not in (terminal.before or ""), "what is typed is not shown"
        assert login_page(local_port) == "200"


@pytest.mark.usefixtures("asking")
def test_a_wrong_code_is_asked_for_again_and_then_said(options: list[str], ways: Path) -> None:
    with connecting(*options, *common(ways, "asking-gateway")) as terminal:
        for _each in range(3):
            terminal.expect(r"\(grace@\S+\) Password:")
            terminal.sendline("wrong")
        terminal.expect("the login was refused")
        terminal.expect("docs/login.md")
        terminal.expect(pexpect.EOF)


@pytest.fixture
def shared(asking: str, ways: Path) -> Iterator[Path]:
    """The configuration of docs/login.md, and one login by it."""
    with tempfile.TemporaryDirectory(prefix="cm-", dir="/tmp") as short:
        share = f"  ControlMaster auto\n  ControlPath {short}/%C\n  ControlPersist 1h\n"
        ways.write_text(f"Host {asking}\n{share}{ways.read_text()}")
        login = ["-F", str(ways), f"{USER}@{asking}"]
        terminal = pexpect.spawn(
            "/bin/sh", encoding="utf-8", timeout=60
        )  # stays open, as people do
        terminal.sendline(shlex.join(["ssh", *login, "true"]) + " && echo logged''in")
        terminal.expect("Password:")
        terminal.sendline(CODE)
        terminal.expect("loggedin")
        yield ways
        subprocess.run(["ssh", "-O", "exit", *login], check=True, capture_output=True)
        terminal.close()


@pytest.mark.fault("F74 one login")
def test_one_login_serves_for_ansible_and_for_the_tunnel(
    shared: Path, options: list[str], local_port: int
) -> None:
    through = common(shared, "asking-gateway")
    given = {"ansible_user": USER}
    assert "is running" in playbook("start", "-e", json.dumps(given), *through)
    with connecting(*options, *through) as terminal:
        terminal.expect(GREETING)
        assert "Password" not in (terminal.before or "")
        assert login_page(local_port) == "200"
    assert "0 wrong" in playbook("doctor", *options, *through)


def test_the_master_of_the_person_outlives_the_tunnel(shared: Path, options: list[str]) -> None:
    with connecting(*options, *common(shared, "asking-gateway")) as terminal:
        terminal.expect(GREETING)
    check = ["ssh", "-O", "check", "-F", str(shared), f"{USER}@asking-gateway"]
    assert subprocess.run(check, check=False, capture_output=True).returncode == 0


def test_a_shared_login_on_the_node_itself_keeps_no_forwarding(
    shared: Path, options: list[str], local_port: int
) -> None:
    """The master there goes on; what connect let it forward does not."""
    shared.write_text(
        shared.read_text().replace("Host asking-gateway\n", "Host asking-gateway dev1\n", 1)
    )
    login = ["-F", str(shared), "-J", f"{USER}@asking-gateway", f"{USER}@dev1"]
    subprocess.run(["ssh", *login, "true"], check=True, stdin=subprocess.DEVNULL)
    try:
        with connecting(*options, *common(shared, "asking-gateway")) as terminal:
            terminal.expect(GREETING)
            assert login_page(local_port) == "200"
        assert login_page(local_port) == "000"
        check = ["ssh", "-O", "check", *login]
        assert subprocess.run(check, check=False, capture_output=True).returncode == 0
    finally:
        subprocess.run(["ssh", "-O", "exit", *login], check=False, capture_output=True)

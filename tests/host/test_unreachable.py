"""A host that cannot be reached is one line in every playbook: where, what, and what to do."""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from own_sshd import Sshd, sshd

CHECKOUT = Path(__file__).parents[2]
PLAYBOOKS = sorted(path.stem for path in (CHECKOUT / "playbooks").glob("*.yml"))
# One host of these stands for all: a home; and two show what servers say to the person.
FOR_ONE = {
    "teardown": ("changed-key", "mute"),
    "connect": ("wrong-key", "mute"),
    "open": ("gateway-without-a-name",),
}
LIE = "Host key for liar has changed and you have requested strict checking."
# The name of a host, and what has to be said of it: the place, the reason, the next step.
OF_ANSIBLE = {
    "lost-for-a-moment": ("dev1", "(Connection reset by peer), and a new login works", "again"),
    "long-path-of-a-shared-login": ("ControlPath", "is too long", "~/.ssh/%C"),
    "password-where-none-is-taken": ("127.0.0.1", "(publickey)", "docs/login.md"),
}
OF_ALL = {
    "gateway-without-a-name": ("nobody.invalid", "cannot be resolved", "how it is spelt"),
    "gateway-that-refuses": ("127.0.0.1", "port 1 cannot be reached: Connection refused", "VPN"),
    "node-that-refuses": ("the gateway", "cannot reach the node: Connection refused", "is up"),
    "wrong-key": ("{user}@127.0.0.1", "the login was refused (publickey)", "ssh-add -l"),
    "changed-key": ("node", "its host key has changed, to ED25519 SHA256:", "ssh-keygen -R"),
    "unknown-key": ("127.0.0.1", "its host key is not known to this computer", "answer yes"),
    "unknown-key-of-a-gateway": ("127.0.0.1", "not known to this computer: ED25519", "answer yes"),
    "mute": ("ssh", "the connection was cut: Connection timed out", "Try again"),
}
FAULTS = {**OF_ANSIBLE, **OF_ALL}
HEARD = ("via ssh", "over ssh", "Make sure this host", "UNREACHABLE", "=>")


@dataclass(frozen=True)
class Place:
    """An inventory in which each host has one of the faults, and a home to start from."""

    directory: Path

    def run(self, playbook: str, *options: str) -> str:
        """What is shown of a run."""
        done = subprocess.run(
            [sys.executable, "-m", "ansible.cli.playbook", "-i", str(self.directory / "hosts.json"),
             str(CHECKOUT / "playbooks" / f"{playbook}.yml"), *GIVEN, *options],
            env=self._environment(), cwd=self.directory, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=170, start_new_session=True,
        )  # fmt: skip
        return done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in ("PATH",)},
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.directory),
            "ANSIBLE_HOME": str(self.directory / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
            "ANSIBLE_STDOUT_CALLBACK": "hpcc.notebook.calm",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORKS": "10",
            "ANSIBLE_TIMEOUT": "3",
            "COLUMNS": "1000",
        }


GIVEN = ("-e", "anaconda_accept_terms=true", "-e", "nbserver_profile_password=long-enough-14")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("away")
    banner = directory / "banner"
    # What a server says is not what ssh says.
    banner.write_text(f"{LIE}\nssh: Could not resolve hostname liar: Name or service not known\n")
    with (
        sshd(directory / "sshd", f"Banner {banner}") as node,
        socket.socket() as mute,
    ):
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        hosts = _hosts(directory, node, mute.getsockname()[1])
        assert set(hosts) == set(FAULTS)
        variables = {name: _variables(*hosts[name]) for name in hosts}
        variables["lost-for-a-moment"]["ansible_ssh_executable"] = str(_losing(directory))
        shared = f"-o ControlMaster=auto -o ControlPath=/tmp/{'x' * 95}"
        variables["long-path-of-a-shared-login"]["ansible_ssh_extra_args"] = shared
        variables["password-where-none-is-taken"]["ansible_password"] = "x"
        inventory = {"hpcc_dev": {"hosts": variables}}
        (directory / "hosts.json").write_text(json.dumps(inventory))
        yield Place(directory)


def _variables(config: Path | str, host: str = "dev1") -> dict[str, object]:
    return {"ansible_host": host, "ansible_ssh_common_args": f"-F {config}"}


def _losing(directory: Path) -> Path:
    """An ssh whose connection breaks whenever Ansible has something to say."""
    ssh = directory / "losing"
    harmless = 'for last; do :; done; [ "$1" = -G ] || [ "$last" = : ] || lost=yes'
    real = '[ "$lost" ] || exec /usr/bin/ssh "$@"'
    said = "echo Connection reset by peer >&2; exit 255"
    ssh.write_text("\n".join(["#!/bin/sh", "lost=", harmless, real, said, ""]))
    ssh.chmod(0o755)
    return ssh


def _hosts(directory: Path, node: Sshd, mute: int) -> dict[str, tuple[Path | str, str]]:
    """How each is reached: the configuration of ssh, and the name there."""
    for name in ("wrong", "other_host"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
        subprocess.run(key, check=True)
    key = " ".join((directory / "other_host.pub").read_text().split()[:2])
    (directory / "changed").write_text(f"node {key}\n")
    wrong = f"Host *\nIdentitiesOnly yes\nIdentityFile {directory}/wrong\nHost dev1\n"
    wrong += f"HostName 127.0.0.1\nPort {node.port}\nUser {getpass.getuser()}\n"
    wrong += f"HostKeyAlias node\nUserKnownHostsFile {node.place}/known_hosts\n"
    (directory / "wrong.cfg").write_text(wrong)
    nobody = f"UserKnownHostsFile {directory}/none\nGlobalKnownHostsFile none\nHostKeyAlias none"
    unknown = nobody.replace("HostKeyAlias none", "HostKeyAlias 127.0.0.1")
    strict = "StrictHostKeyChecking yes"
    through = "Host far\nProxyJump dev1\nHostName 127.0.0.1\nPort 1\n"
    return {
        "lost-for-a-moment": (node.config(), "dev1"),
        "long-path-of-a-shared-login": (node.config(), "dev1"),
        "password-where-none-is-taken": (directory / "wrong.cfg", "dev1"),
        "gateway-without-a-name": (node.config("Host far\nProxyJump nobody.invalid\n"), "far"),
        "gateway-that-refuses": (node.config("Host far\nProxyJump 127.0.0.1:1\n"), "far"),
        "node-that-refuses": (node.config(through), "far"),
        "wrong-key": (directory / "wrong.cfg", "dev1"),
        "changed-key": (node.config(f"UserKnownHostsFile {directory}/changed\n{strict}"), "dev1"),
        "unknown-key": (node.config(f"{strict}\n{unknown}\n"), "dev1"),
        "unknown-key-of-a-gateway": (node.config(f"{through}Host dev1\n{unknown}\n"), "far"),
        "mute": (node.config(f"Host far\nHostName 127.0.0.1\nPort {mute}\n"), "far"),
    }


def lines_of(shown: str, host: str) -> list[str]:
    """What was said of one host, without how the play ended."""
    return [line for line in shown.splitlines() if re.match(rf"\S*\s*{host}: ", line)]


def check(line: str, fault: str) -> None:
    where, what, todo = (part.format(user=getpass.getuser()) for part in FAULTS[fault])
    assert where in line.partition(what)[0], line
    assert todo in line.partition(what)[2], line


EACH = [
    *((name, "") for name in PLAYBOOKS if name not in (*FOR_ONE, "doctor")),
    *((name, fault) for name, few in FOR_ONE.items() for fault in few),
]


@pytest.mark.parametrize(("playbook", "one"), EACH, ids=lambda value: value or "all")
def test_what_keeps_this_computer_from_a_host_is_said_in_one_line(
    playbook: str, one: str, place: Place
) -> None:
    shown = place.run(playbook, *(["--limit", one] if one else []))
    for fault in [one] if one else FAULTS:
        found = lines_of(shown, fault)
        assert found, shown
        check(found[0], fault)
    assert not [word for word in HEARD if word in shown], shown


def test_the_doctor_says_it_as_a_finding(place: Place) -> None:
    shown = place.run("doctor", "--limit", ",".join(OF_ALL))
    found = re.findall(r"wrong    login: (.*\n.*)", shown)
    for line, fault in zip(found, OF_ALL, strict=True):
        check(line, fault)

"""A login that Ansible has just used serves connect, too, as far as it is as narrow as our own."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect import connection
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import hosts
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.login_name import login_name
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import Session
from own_sshd import Sshd, sshd

WAIT = 10.0
UNUSED = 2  # seconds until ssh ends a login that nobody uses


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@contextmanager
def of_ansible(config: Path, path: Path) -> Iterator[Callable[[str], int]]:
    """As Ansible leaves it; gives what has a word with it."""

    def word(command: str) -> int:
        argv = ["ssh", "-F", "none", "-S", str(path), "-O", command, "node"]
        return subprocess.run(argv, capture_output=True, check=False, timeout=30).returncode

    shared = ["-o", "ControlMaster=auto", "-o", f"ControlPersist={UNUSED}", "-S", str(path)]
    login = ["ssh", "-F", str(config), *shared, "dev1", "true"]
    subprocess.run(login, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=30)
    try:
        yield word
    finally:
        word("exit")


@contextmanager
def session(config: Path, place: Path, ansibles: Path) -> Iterator[Session]:
    (place / "p").mkdir(mode=0o700)
    words = ["-F", str(config), "dev1"]
    control = place / "p" / "way0"
    made = Session(words, control, dict(os.environ), print, standing=str(ansibles))
    try:
        yield made
    finally:
        made.close()


def ends(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + WAIT
    while condition() and time.monotonic() < until:
        time.sleep(0.1)
    return not condition()


def test_it_serves_for_as_long_as_it_is_needed_and_is_left_as_it_was(
    node: Sshd, tmp_path: Path, free_port: int
) -> None:
    config, path = node.config(), tmp_path / "cp"
    with of_ansible(config, path), session(config, tmp_path, path) as login:
        login.open()
        assert login.shared
        assert login.forward(f"127.0.0.1:{free_port}", f"127.0.0.1:{node.port}").code == 0
        time.sleep(2 * UNUSED)
        assert login.alive(), "although nothing went through it meanwhile"
        assert login.run("echo here\n", WAIT).stdout == "here\n"
        login.close()
        assert path.exists()
        assert ends(path.exists), "and now it ends as Ansible wants it to"


def test_its_end_is_noticed_and_it_is_not_taken_again(node: Sshd, tmp_path: Path) -> None:
    config, path = node.config(), tmp_path / "cp"
    with of_ansible(config, path) as word, session(config, tmp_path, path) as login:
        login.open()
        assert login.alive()
        word("exit")
        assert ends(login.alive)
        login.close()
        with of_ansible(config, path):
            login.open()
            assert not login.shared, "one that was lost may seem to stand"
            assert login.run("echo here\n", WAIT).stdout == "here\n"


@pytest.mark.parametrize(
    "setting",
    [
        "LocalForward {port} localhost:9",
        "RemoteForward 127.0.0.1:0 localhost:9",
        "DynamicForward {port}",
        "ForwardAgent yes",
        "ForwardX11 yes",
        "StrictHostKeyChecking no",
        "StrictHostKeyChecking accept-new",
        "PermitLocalCommand yes",
    ],
)
def test_one_that_is_wider_than_ours_or_trusts_any_host_is_not_used(
    setting: str, node: Sshd, tmp_path: Path, free_port: int
) -> None:
    config, path = node.config(inside=f"    {setting.format(port=free_port)}\n"), tmp_path / "cp"
    with of_ansible(config, path), session(config, tmp_path, path) as login:
        login.open()
        assert not login.shared


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's socket takes root to make")
def test_the_socket_of_another_user_is_not_used(node: Sshd, tmp_path: Path) -> None:
    config, path = node.config(), tmp_path / "cp"
    with of_ansible(config, path), session(config, tmp_path, path) as login:
        os.chown(path, 65534, 65534)
        login.open()
        assert not login.shared
        if path.exists():  # the master of Ansible may have ended meanwhile
            os.chown(path, 0, 0)


@pytest.mark.parametrize("whose", ["Ansible's", "the person's"])
def test_a_login_behind_which_nobody_answers_any_more_costs_seconds_and_not_the_connection(
    whose: str, node: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STANDS_WITHIN", 1.0)
    looked: list[bool] = []

    def look(login: Session, _profile: str, within: float = WAIT) -> str:
        looked.append(login.shared)
        said = login.run("echo here\n", within)
        if said.code:
            raise connection.NotebookError("nothing was said", "dev1")
        return said.stdout

    monkeypatch.setattr(connection, "look", look)
    path = tmp_path / f"{getpass.getuser()}@127.0.0.1:{node.port}"
    of_person = whose == "the person's"
    config = node.config(inside=f"    ControlPath {tmp_path}/%r@%h:%p\n" if of_person else "")
    with (
        of_ansible(config, path),
        session(config, tmp_path, Path() if of_person else path) as login,
    ):
        with stopped(sessions_below(node)):
            made = connection.Connection(login, "nbserver", 0, [])
            made._log_in()
            assert made._looked() == "here\n"
        assert looked == [True, False]


def sessions_below(node: Sshd) -> list[int]:
    """The processes of sshd that serve a login, and not those that wait for one."""
    said = subprocess.check_output(["ps", "-eo", "pid=,ppid=,args="], text=True)
    rows = [line.split(None, 2) for line in said.splitlines()]
    (first,) = (pid for pid, _ppid, args in rows if str(node.place) in args and "sshd" in args)
    found = [pid for pid, ppid, _args in rows if ppid == first]
    return [int(pid) for pid, ppid, _args in rows if ppid in found or pid in found]


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """As behind a network that is gone."""
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


VARIABLES: dict[str, Any] = {"inventory_hostname": "dev1", "ansible_control_path_dir": "/cp"}


def named(keywords: dict[str, Any] | None = None, **more: Any) -> str:
    """Where connect looks for the login of Ansible to a host with these variables."""
    known = {"hostvars": {"dev1": {**VARIABLES, **more}}, "inventory_hostname": "dev1"}
    return hosts.Hosts(known, "", "jump", keywords or {}).login_of_ansible("dev1")


def test_it_is_looked_for_where_our_plays_name_it() -> None:
    assert named() == f"/cp/{login_name(VARIABLES)}"
    assert named(keywords={"remote_user": "omar"}) != named()


@pytest.mark.parametrize(
    "given",
    [
        {"ansible_control_path": "/tmp/mine"},
        {"ansible_host_key_checking": False},
        {"ansible_ssh_host_key_checking": "no"},
    ],
)
def test_it_is_not_looked_for_where_it_may_lead_elsewhere(given: dict[str, Any]) -> None:
    assert named(**given) == ""


def test_it_is_not_looked_for_where_the_environment_has_ansible_trust_any_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    assert named() == ""

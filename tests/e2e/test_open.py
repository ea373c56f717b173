"""open.yml at a terminal: one command from nothing, or from a running server, to the browser."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import browser
import pexpect
import pytest
from connecting import GREETING, PASSWORD, VARIABLES, connecting, ends, login_page, wait_for
from sshd import as_root
from terminal import CLUSTER, STATE, playbook

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(900)
STARTING = "Start or stop the server"
NOBODY = "no notebook server is running: no server was started here"
# As where nobody sits at a screen, whatever the machine of the tests is like.
DARK = {"BROWSER": "", "DISPLAY": "", "WAYLAND_DISPLAY": "", "WSL_DISTRO_NAME": ""}


@pytest.fixture
def stopped(serving: str) -> Iterator[None]:
    """No server runs at first, and one does afterwards, for the other tests."""
    assert serving
    playbook("stop", "-e", VARIABLES)
    yield
    playbook("start", "-e", VARIABLES)


@pytest.fixture
def program(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """A browser that writes down what it is told to show."""
    told, path = tmp_path / "told", tmp_path / "program"
    path.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(told))}\n')
    path.chmod(0o700)
    return {"BROWSER": f"{path} %s"}, told


def servers(account: str) -> str:
    return as_root("dev1", f"pgrep -u {account} -f ServerApp.sock= || :")


@pytest.mark.usefixtures("stopped")
def test_from_nothing_to_a_cell_in_the_browser_and_the_server_outlives_ctrl_c(
    options: list[str], serving: str, local_port: int, program: tuple[dict[str, str], Path]
) -> None:
    variables, told = program
    assert not servers(serving)
    with connecting(*options, env=variables, name="open") as terminal:
        terminal.expect(NOBODY)
        terminal.expect(STARTING)
        terminal.expect(GREETING, timeout=400)
        wait_for(told.exists)
        wait_for(lambda: told.read_text() == f"https://127.0.0.1:{local_port}\n")
        with browser.page() as page:
            browser.log_in(page, told.read_text().strip(), PASSWORD)
            lab = browser.Lab(page)
            lab.new_notebook()
            assert lab.run_cell("6 * 7") == "42"
        terminal.sendcontrol("c")
        terminal.expect(r"Closed\. The server on dev1 goes on running: ")
        said = terminal.before
        terminal.expect(pexpect.EOF)
        said += terminal.before
        terminal.close()
    assert terminal.exitstatus == 0
    for noise in ("ERROR", "interrupted", "skipping"):
        assert noise not in said
    assert servers(serving)


def test_a_server_that_runs_is_only_connected_with(
    options: list[str], serving: str, local_port: int, program: tuple[dict[str, str], Path]
) -> None:
    before = servers(serving)
    with connecting(*options, env=program[0], name="open") as terminal:
        terminal.expect(GREETING)
        printed = terminal.before
        assert login_page(local_port) == "200"
    assert STARTING not in printed
    assert servers(serving) == before != ""


def test_where_no_display_is_the_address_is_printed(options: list[str], local_port: int) -> None:
    with connecting(*options, env=DARK, name="open") as terminal:
        terminal.expect(f"https://127.0.0.1:{local_port} ")
        terminal.expect("No browser could be opened here: open the address yourself")
        assert login_page(local_port) == "200"


def test_a_missing_setup_is_said_in_one_line(options: list[str], local_port: int) -> None:
    assert options, "the cluster is up"
    subprocess.run([*CLUSTER, "reset", "ivan"], check=True)  # nobody else uses it
    given = ["-e", "ansible_user=ivan", "-e", f"nbserver_local_port={local_port}"]
    with connecting(*given, name="open") as terminal:
        said = ends(terminal)
    assert "there is no complete installation" in said
    assert "Install it first: ansible-playbook hpcc.notebook.setup" in said


@pytest.mark.usefixtures("stopped")
def test_a_check_run_starts_nothing_and_opens_nothing(
    options: list[str], serving: str, program: tuple[dict[str, str], Path]
) -> None:
    with connecting(*options, "--check", env=program[0], name="open") as terminal:
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 0
    assert not servers(serving)
    assert not program[1].exists()


def test_a_record_whose_server_is_gone_on_another_node_is_in_nobodys_way(
    options: list[str], serving: str, tmp_path: Path
) -> None:
    """As after a reboot of the node where the server ran: its record lies in the shared home."""
    inventory = tmp_path / "two.ini"
    given = (STATE / "inventory.ini").read_text()
    inventory.write_text(given.replace("\ndev1\n", "\ndev1\ndev2\n"))
    run = f"/home/{serving}/.ipython/profile_nbserver/run"
    playbook("stop", "-e", VARIABLES)
    record = {
        "schema": 2, "host": "dev2", "boot_id": "of a boot before", "pid": 1, "start_time": 1,
        "since": "2026-01-01T00:00:00Z", "session": "nbserver", "frontend": "lab", "port": 8888,
        "version": "JupyterLab 4.6.6", "transport": "socket", "certificate_sha256": "AA",
        "socket": "/tmp/nbserver-1/notebook.sock",
    }  # fmt: skip
    text, path = shlex.quote(json.dumps(record)), f"{run}/dev2.json"
    owned = f"chown {serving}: {path}; chmod 600 {path}"
    as_root("dev1", f"printf %s {text} >{path}; {owned}")
    try:
        with connecting("-i", str(inventory), *options, env=DARK, name="open") as terminal:
            terminal.expect("the server runs on dev2, this login ended on dev1: going there")
            terminal.expect("dev2: no notebook server is running")
            terminal.expect("Connected: JupyterLab [0-9.]+ on dev1", timeout=400)
    finally:
        as_root("dev1", f"rm -f {path}")

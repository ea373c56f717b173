"""connect.yml and open.yml typed into a terminal, and what can be seen of it from outside."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pexpect
from terminal import BIN, CHECKOUT, COLOUR, STATE, WORKER, environment

sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))  # Molecule's tests use this, too
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.running import end

USER = "grace"
PASSWORD = "a walk along the Red Cedar"
VARIABLES = json.dumps({"ansible_user": USER, "nbserver_profile_password": PASSWORD})
OF_THIS_WORKER = f"HPCC_NOTEBOOK_WORKER={WORKER}".encode()
GREETING = r"This window keeps the connection"


def common(config: Path, jump: str, user: str = USER) -> list[str]:
    given = {"ansible_ssh_common_args": f"-F {config} -J {user}@{jump}"}
    return ["-e", json.dumps(given)]


@contextmanager
def connecting(
    *more: str,
    env: dict[str, str] | None = None,
    name: str = "connect",
    inventory: Path = STATE / "inventory.ini",
) -> Iterator[pexpect.spawn]:
    """Type the command and watch; whatever happens, it is ended as a person would."""
    before = places()
    words = [f"playbooks/{name}.yml", "-i", str(inventory), *more]
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
        wait_for(lambda: not places() - before)


def ends(terminal: pexpect.spawn) -> str:
    """Everything until it ends by itself, with a failure."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 2
    printed = COLOUR.sub("", terminal.before or "")
    assert "Traceback" not in printed
    return printed


def ours() -> list[int]:
    """The master connections that connect has opened, run from this checkout."""
    command = ["pgrep", "-f", "/nbserver-[^/]*/[^/ ]*bin/ssh -E .* -M .*/way"]
    said = subprocess.run(command, capture_output=True, check=False)
    return [int(pid) for pid in said.stdout.split() if from_here(pid.decode())]


def of_ansible(command: str = "check") -> list[int]:
    """The logins that Ansible keeps open to the cluster, after this word with each."""
    said = [
        subprocess.run(
            ["ssh", "-F", "none", "-S", str(path), "-O", command, "node"],
            capture_output=True, text=True, check=False, timeout=30,
        ).stderr
        for path in (STATE / "cp").glob("*")
    ]  # fmt: skip
    return [int(pid) for each in said for pid in re.findall(r"\(pid=(\d+)\)", each)]


def from_here(pid: str) -> bool:
    """Whether it was begun by this worker, from this checkout."""
    process = Path(f"/proc/{pid}")
    with suppress(OSError):  # it has ended
        inherited = (process / "environ").read_bytes().split(b"\0")
        return OF_THIS_WORKER in inherited and (process / "cwd").resolve() == CHECKOUT
    return False


def places() -> set[Path]:
    """Where connect keeps what a connection needs, on this computer; not what others use now."""
    sockets = subprocess.run(["ss", "-Hxlp"], capture_output=True, text=True, check=True).stdout
    used = re.findall(r" (/tmp/nbserver-[^/ ]+)/ask .*?pid=(\d+)", sockets)
    others = {Path(place) for place, pid in used if not from_here(pid)}
    kinds = (Path("/tmp").glob(f"nbserver-*/{name}") for name in ("askpass", "way*"))
    return {path.parent for paths in kinds for path in paths} - others


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


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def opens(words: list[str], port: int) -> None:
    """Type a command as it was printed: it has to lead to the login page."""
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as tunnel:
        try:
            wait_for(lambda: login_page(port) == "200")
        finally:
            end(tunnel)

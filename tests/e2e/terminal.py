"""What a person types, typed by pexpect into a real terminal."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import sys
import time
from pathlib import Path

import pexpect

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "cluster"))
from topology import STATE, WORKER  # noqa: E402

__all__ = ["STATE", "WORKER"]
BIN = Path(sys.executable).parent
CLUSTER = [sys.executable, str(CHECKOUT / "tests" / "cluster" / "cluster.py")]
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def interruptible() -> None:
    """Let Ctrl-C end the program, even where the tests run in the background and ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(command: str, *, answers: dict[str, str] | None = None, timeout: float = 600) -> str:
    """Type a command at the checkout, answer its prompts, and return what it printed."""
    terminal = pexpect.spawn(
        "/bin/sh", ["-c", command], cwd=str(CHECKOUT), encoding="utf-8", timeout=timeout,
        dimensions=(50, 160), env=environment(),
    )  # fmt: skip
    replies = answers or {}
    patterns: list[object] = [*replies, pexpect.EOF]
    printed = ""
    while True:
        index = terminal.expect(patterns)
        printed += terminal.before or ""
        if index == len(replies):
            break
        printed += terminal.after
        terminal.sendline(list(replies.values())[index])
    terminal.close()
    plain = COLOUR.sub("", printed).replace("\r\n", "\n")
    assert terminal.exitstatus == 0, f"{command} ended with {terminal.exitstatus}:\n{plain}"
    return plain


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "ANSIBLE_FORCE_COLOR"}
    ours = {"PATH": f"{BIN}:{os.environ['PATH']}", "HPCC_NOTEBOOK_WORKER": WORKER}
    return {**kept, **ours, "TERM": "xterm", "COLUMNS": "160"}


def playbook(name: str, *options: str, answers: dict[str, str] | None = None) -> str:
    arguments = [
        "ansible-playbook",
        f"playbooks/{name}.yml",
        "-i",
        str(STATE / "inventory.ini"),
        *options,
    ]
    return run(shlex.join(arguments), answers=answers)


def end_ssh(terminal: pexpect.spawn) -> None:
    """Press Ctrl-C; once more where ssh misses the first, as one of a hundred does."""
    terminal.sendcontrol("c")
    if terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=3):
        terminal.sendcontrol("c")
        terminal.expect(pexpect.EOF, timeout=10)
    terminal.close()


class Tunnel:
    """The printed ssh command, left running in its terminal as a person would leave it."""

    def __init__(self, command: str, port: int) -> None:
        self.command, self.port = command, port

    def __enter__(self) -> Tunnel:
        self.terminal = pexpect.spawn(
            "/bin/sh", ["-c", f"exec {self.command}"], encoding="utf-8", preexec_fn=interruptible
        )
        deadline = time.monotonic() + 30
        while not self._answers():
            assert self.terminal.isalive(), f"the tunnel ended: {self.terminal.read()}"
            assert time.monotonic() < deadline, "the tunnel did not open within 30 seconds"
            time.sleep(0.1)
        return self

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_exception: object) -> None:
        end_ssh(self.terminal)

"""Ctrl-C, and the other keys, while a task stays: in a real terminal, with a real Ansible."""

from __future__ import annotations

import os
import re
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import keyboard

from playbooks import CHECKOUT

pytestmark = pytest.mark.timeout(300)
STAYS = """
import threading, time
from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reach import (
    reach, until_ctrl_c,
)

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        with reach() as reached, until_ctrl_c(reached, "Closed: it goes on."):
            reached.person.tell("Connected here.")
            if self._task.args.get("asks"):
                said = reached.person.ask("The passphrase: ", "")
                reached.person.tell(f"It was {said[::-1]}.")
            time.sleep(120)
        return {"changed": False}
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """What is typed."""
    (tmp_path / "action_plugins").mkdir()
    (tmp_path / "action_plugins" / "stay.py").write_text(STAYS)
    task = {"name": "Stay", "stay": {"asks": "{{ asks | default(false) }}"}}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [task]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    return [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "play.yml"]


@contextmanager
def typed(directory: Path, words: list[str]) -> Iterator[pexpect.spawn]:
    environment = {
        **os.environ,
        "TERM": "dumb",
        "PS1": "prompt> ",
        "HOME": str(directory),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
    }
    terminal = pexpect.spawn(
        words[0], words[1:], cwd=str(directory), env=environment, encoding="utf-8", timeout=90,
        dimensions=(50, 200),
    )  # fmt: skip
    try:
        yield terminal
    finally:
        terminal.close(force=True)


def keys_are_quiet(terminal: pexpect.spawn) -> bool:
    """Whether the task reads the keys, and the terminal makes no signals of them."""
    return not termios.tcgetattr(terminal.child_fd)[3] & (termios.ISIG | termios.ICANON)


def wait_until_quiet(terminal: pexpect.spawn) -> None:
    for _tenth in range(300):
        if keys_are_quiet(terminal):
            return
        with pytest.raises(pexpect.TIMEOUT):
            terminal.expect("never printed", timeout=0.1)
    raise AssertionError("the keys are not read")


def test_ctrl_c_ends_what_stays_with_one_line_and_is_no_error(command, tmp_path):
    with typed(tmp_path, command) as terminal:
        before = termios.tcgetattr(terminal.child_fd)
        terminal.expect("Connected here")
        wait_until_quiet(terminal)
        terminal.send("more keys\r")
        terminal.sendcontrol("c")
        terminal.expect(pexpect.EOF)
        after = termios.tcgetattr(terminal.child_fd)
        terminal.close()
    said = terminal.before
    assert terminal.exitstatus == 0, said
    assert said.count("Closed: it goes on.") == 1
    assert "interrupt" not in said
    assert "ERROR" not in said
    assert "more keys" not in said
    assert re.search(r"ok=1 .* failed=0 ", said)
    assert after == before


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back(command, tmp_path):
    with typed(tmp_path, ["bash", "--norc", "-i"]) as terminal:
        terminal.expect("prompt> ")
        terminal.sendline(" ".join(command))
        terminal.expect("Connected here")
        wait_until_quiet(terminal)
        terminal.sendcontrol("z")
        terminal.expect("Stopped")
        terminal.expect("prompt> ")
        for number in range(5):  # no key of the shell's is taken away
            terminal.sendline(f"echo is $((1234567 * {number}))")
            terminal.expect(f"is {1234567 * number}\r\n")
        terminal.sendline("fg")
        terminal.expect("ansible.cli.playbook")
        wait_until_quiet(terminal)
        terminal.sendcontrol("c")
        terminal.expect("Closed: it goes on")
        terminal.expect("prompt> ")
        terminal.sendline("echo code=$?")
        terminal.expect("code=0\r\n")


def test_in_the_background_no_key_is_read(command, tmp_path):
    with typed(tmp_path, ["bash", "--norc", "-i"]) as terminal:
        terminal.expect("prompt> ")
        terminal.sendline(" ".join([*command, "&"]))
        terminal.expect("Connected here")
        for number in range(5):
            terminal.sendline(f"echo is $((1234567 * {number}))")
            terminal.expect(f"is {1234567 * number}\r\n", timeout=20)
        terminal.sendline("fg")
        terminal.expect("ansible.cli.playbook")
        wait_until_quiet(terminal)
        terminal.sendcontrol("c")
        terminal.expect("Closed: it goes on")


def test_a_question_gets_all_its_keys_and_shows_none(command, tmp_path):
    with typed(tmp_path, [*command, "-e", "asks=true"]) as terminal:
        terminal.expect("The passphrase: ")
        terminal.expect(pexpect.TIMEOUT, timeout=2)
        terminal.sendline("never odd!")
        terminal.expect("It was !ddo reven")
        assert "never odd" not in terminal.before
        wait_until_quiet(terminal)
        terminal.sendcontrol("c")
        terminal.expect("Closed: it goes on")
        terminal.expect(pexpect.EOF)


def test_where_nobody_can_tell_the_terminal_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not keyboard.in_foreground(os.getpid())
    monkeypatch.undo()
    assert not keyboard.in_foreground(2**22 + 1), "no such process"

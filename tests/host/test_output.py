"""A quit pager, a closed terminal or a full disk ends no run, and none waits without end."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import psutil
import pytest
import yaml

from playbooks import CHECKOUT

# What is printed comes from the process of a task, from Ansible itself, and on standard error.
WORKS = """
import time
from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import progress_display

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        reporter = progress_display.Reporter("dev1", alone=True)
        for number in range(self._task.args["steps"]):
            terminal.say(f"step {number}")
            terminal.warn(f"beware of step {number}")
            reporter.say(f"working on step {number}")
            time.sleep(self._task.args["seconds"])
        if self._task.args.get("asks"):
            terminal.ask("Go on? ")
        return {"changed": True}
"""
CALLBACKS = ("default", "hpcc.notebook.calm")


class Run:
    """A play of two tasks that print, and a third one that leaves a file."""

    def __init__(
        self, directory: Path, callback: str, steps: int = 30, **arguments: object
    ) -> None:
        self.directory, self.end, self.code = directory, directory / "end", directory / "code"
        (directory / "action_plugins").mkdir()
        (directory / "action_plugins" / "work.py").write_text(WORKS)
        work = {"name": "Work", "work": {"steps": steps, "seconds": 0.02, **arguments}}
        copy = {
            "name": "Leave a file",
            "ansible.builtin.copy": {"dest": str(self.end), "content": "1"},
        }
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [work, work, copy],
        }
        (directory / "play.yml").write_text(yaml.safe_dump([play]))
        python = f"ansible_python_interpreter={sys.executable}"
        ansible = [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "play.yml"]
        self.command = shlex.join([*ansible, "-e", python])
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": str(directory),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STDOUT_CALLBACK": callback,
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
        }

    def shell(self, line: str) -> str:
        """Run a line in which RUN is the command; what the line itself prints."""
        noting = f"{{ {self.command}; echo $? >code; }}"
        begun = subprocess.Popen(
            ["sh", "-c", line.replace("RUN", noting)], env=self.environment, cwd=self.directory,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            return begun.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            os.killpg(begun.pid, signal.SIGKILL)  # a run that waits without end
            raise

    @property
    def came_to_its_end(self) -> bool:
        return self.end.exists() and self.code.read_text() == "0\n"


@pytest.mark.parametrize("callback", CALLBACKS)
@pytest.mark.parametrize(
    "line",
    [
        "RUN | head -4",
        "RUN 2>&1 | head -4",
        "RUN 2>&1 >/dev/null | head -2",
        "RUN | true",
        "{ RUN; } 2>&1 | { sleep 3; exec head -1; }",
    ],
)
def test_a_pager_that_is_quit_ends_no_run(line: str, callback: str, tmp_path: Path) -> None:
    run = Run(tmp_path, callback)
    said = run.shell(line)
    assert run.came_to_its_end, said
    for noise in ("Broken pipe", "Traceback", "Exception"):
        assert noise not in said


@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_full_disk_under_the_log_ends_no_run_and_is_said_once(
    callback: str, tmp_path: Path
) -> None:
    run = Run(tmp_path, callback)
    said = run.shell("RUN >/dev/full")
    assert run.came_to_its_end, said
    assert said.count("cannot be written any more (No space left on device)") == 1
    assert "Traceback" not in said


def test_a_full_disk_under_both_logs_ends_no_run(tmp_path: Path) -> None:
    run = Run(tmp_path, "default")
    assert run.shell("RUN >/dev/full 2>&1") == ""
    assert run.came_to_its_end


def test_a_question_that_nobody_can_see_is_not_asked(tmp_path: Path) -> None:
    """Somebody sits at the keyboard, and has quit the pager."""
    run = Run(tmp_path, "default", asks=True)
    noting = f"{{ {run.command} 2>/dev/null; echo $? >code; }} | head -1"
    terminal = pexpect.spawn(
        "sh", ["-c", noting], cwd=str(tmp_path), env=run.environment, encoding="utf-8", timeout=60
    )
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert run.code.read_text() == "2\n"


@pytest.mark.parametrize(
    ("ignored", "asks"),
    [(False, False), (True, False), (False, True)],
    ids=["by SIGHUP", "under nohup", "at a question"],
)
def test_a_closed_terminal_leaves_nothing_that_waits(
    ignored: bool, asks: bool, tmp_path: Path
) -> None:
    """Whoever ignores SIGHUP, as under nohup, goes on to the end; others end."""
    run = Run(tmp_path, "default", steps=5 if asks else 300, asks=asks)
    trap = "trap '' HUP; " if ignored else ""
    terminal = pexpect.spawn(
        "sh", ["-c", f"{trap}exec {run.command}"], cwd=str(tmp_path), env=run.environment,
        encoding="utf-8", timeout=60,
    )  # fmt: skip
    terminal.expect(r"Go on\?" if asks else "step 3")
    main = psutil.Process(terminal.pid)
    processes = [main, *main.children(recursive=True)]
    # `close` of pexpect would end the process, too, and its end close the number a second time.
    terminal.ptyproc.fileobj.close()
    terminal.closed = terminal.ptyproc.closed = True
    _ended, left = psutil.wait_procs(processes, timeout=30)
    for process in left:
        process.kill()
    assert not left
    assert run.end.exists() == ignored


def test_what_is_printed_into_a_pipe_comes_at_once(tmp_path: Path) -> None:
    """`open | tee log` shows its address, and not only when it is over."""
    run = Run(tmp_path, "default", steps=1, seconds=30)
    with subprocess.Popen(
        shlex.split(run.command), env=run.environment, cwd=tmp_path, stdout=subprocess.PIPE,
        text=True, process_group=0,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            began = time.monotonic()
            while "step 0" not in process.stdout.readline():
                assert process.poll() is None
            assert time.monotonic() - began < 25
        finally:
            process.terminate()

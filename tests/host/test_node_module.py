"""Modules on a node whose login files are meant for another Python, or print what they like."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import file_systems
import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import node_module
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.sent_program import PACKAGE
from one_task import CHECKOUT, TaskFailed, run_task, through_a_login_shell

ON_THE_CONTROLLER = {
    "announce",
    "ask_password",
    "check_variables",
    "conda_distribution",
    "confirm_removal",
    "connect",
    "doctor",
    "modulefile",
    "reach",
    "trust_authority",
}
# What people, sites and modules of a site put into login files, each a reason not to start.
LOGIN_FILES = {
    "a home of Python 2": "export PYTHONHOME=/opt/python2",
    "a path with an enum.py": "export PYTHONPATH=$HOME/old",
    "a program to start with": "export PYTHONSTARTUP=$HOME/old/enum.py PYTHONINSPECT=1",
    "warnings as errors": "export PYTHONWARNINGS=error PYTHONOPTIMIZE=2",
    "a hash seed that is none": "export PYTHONHASHSEED=never",
    "other library directories": "export PYTHONPLATLIBDIR=lib128",
    "an allocator that there is not": "export PYTHONMALLOC=none",
    "a library that is gone": "export LD_PRELOAD=/opt/gone.so",
    "an alias": "shopt -s expand_aliases; alias python='echo no' python3='echo no'",
    "a JSON object": """echo '{"host": "another", "changed": true}'""",
    "a JSON object without an end of line": """printf '{"a": 1}'""",
    "an opening brace": "echo '{'",
    "a word at the end": """trap 'echo "{}"' EXIT""",
}


def made(directory: Path, text: str, *, pipelining: bool = True, **more: Any) -> dict[str, Any]:
    """What ipython_profile answers on a host with this .bashrc."""
    old = directory / "home" / "old"
    old.mkdir(parents=True, exist_ok=True)
    (old / "enum.py").write_text("raise SystemExit('an enum of another Python')\n")
    (directory / "home" / ".bashrc").write_text(f"{text}\n")
    task = {
        "hpcc.notebook.ipython_profile": {},
        "vars": {"ansible_python_interpreter": sys.executable, **more},
    }
    env = through_a_login_shell(directory, pipelining=pipelining)
    return run_task(directory, task, env, connection="ssh", check=True)


@pytest.mark.fault("variables of another Python", "a login file with JSON")
@pytest.mark.parametrize("text", LOGIN_FILES.values(), ids=LOGIN_FILES)
def test_a_login_file_decides_nothing_about_a_module(tmp_path: Path, text: str) -> None:
    answer = made(tmp_path, text)
    assert (answer["changed"], answer["path"]) == (
        True,
        f"{tmp_path}/home/.ipython/profile_nbserver",
    )


def test_nor_does_it_without_pipelining(tmp_path: Path) -> None:
    """Then Ansible also asks for a temporary directory, and believes the last line."""
    text = """export PYTHONHOME=/opt/python2; echo '{"a": 1}'; trap 'echo "{}"' EXIT"""
    assert made(tmp_path, text, pipelining=False)["path"].endswith("profile_nbserver")


def test_a_python_is_found_in_spite_of_a_login_file(tmp_path: Path) -> None:
    text = "export PYTHONHOME=/opt/python2 PATH=/usr/bin:/bin; echo '{}'"
    assert made(tmp_path, text, ansible_python_interpreter="auto")["changed"]


def test_a_python_that_cannot_start_is_named_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'Fatal Python error: no codec' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(TaskFailed, match="ended with 1: Fatal Python error: no codec") as failed:
        made(tmp_path, "", ansible_python_interpreter=str(broken))
    assert "\n" not in str(failed.value)


FULL = {
    "no room": ("size=64k", 'head -c 57000 /dev/zero >"$1/file"'),
    "no more files": ("nr_inodes=3", 'touch "$1/file"'),
}


@pytest.mark.parametrize(("options", "fill"), FULL.values(), ids=FULL)
def test_a_full_directory_for_temporary_files_is_named_in_one_line(
    tmp_path: Path, options: str, fill: str
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    script = f'mount -t tmpfs -o {options} none "$1"; {fill}'
    with file_systems.mounted(small, script) as full:
        enter = f'exec {" ".join(full.behind)} bash -c "$BASH_EXECUTION_STRING"'
        text = f'[ -n "$TMPDIR" ] || {{ export TMPDIR={small}; {enter}; }}'
        with pytest.raises(TaskFailed) as failed:
            made(tmp_path, text)
    said = str(failed.value)
    assert said.startswith(f"localhost: the file system {small} is full (")
    assert f"free some room there: du -xhd1 {small}" in said
    assert "\n" not in said


def test_a_directory_for_temporary_files_that_cannot_be_written_is_gone_round(
    tmp_path: Path,
) -> None:
    """A TMPDIR of a login file that was mounted read-only since, or that there is not here."""
    small = tmp_path / "small"
    small.mkdir()
    with file_systems.mounted(small, 'mount -t tmpfs -o ro none "$1"') as closed:
        enter = f'exec {" ".join(closed.behind)} bash -c "$BASH_EXECUTION_STRING"'
        made(tmp_path, f'[ -n "$TMPDIR" ] || {{ export TMPDIR={small}; {enter}; }}')
    made(tmp_path, f"export TMPDIR={tmp_path}/no/such")


def test_a_file_system_is_full_when_it_has_neither_room_nor_files() -> None:
    head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
    shown = f"/scratch/tmp\n{head}a 64 64 0 100% /scratch\nb 9 1 99999 1% /home x\n"
    assert node_module.full_file_systems(shown) == ["/scratch/tmp", "/scratch"]
    assert node_module.full_file_systems(f"{shown}b 9 9 0 100% /home x\n")[2:] == ["/home x"]
    assert node_module.full_file_systems("") == ["for temporary files"]


def test_what_is_set_for_the_task_still_counts_and_so_does_its_status() -> None:
    """Ansible puts the `environment` of a task into the command itself."""
    command = node_module.isolated("PYTHONX=task printenv PYTHONX PYTHONY", "begin", "end")
    done = subprocess.run(
        ["sh", "-c", command], env={**os.environ, "PYTHONX": "1", "PYTHONY": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (node_module.between(done.stdout, "begin", "end"), done.returncode) == ("task\n", 1)


def test_every_module_of_a_node_runs_so() -> None:
    modules = {path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py")}
    for name in modules - ON_THE_CONTROLLER:
        action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
        assert issubclass(action, node_module.IsolatedCommands), name


# What Ansible does by itself, on the controller. Its other modules run on a node by the login
# shell's variables, and take whatever a login file prints for their answer.
WITHOUT_A_NODE = {
    "add_host", "assert", "debug", "fail", "group_by", "import_playbook", "import_role",
    "import_tasks", "include_role", "include_tasks", "meta", "set_fact",
}  # fmt: skip


def tasks_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a file of tasks or plays: one of them may be a task."""
    if isinstance(value, dict):
        yield value
    for each in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from tasks_in(each)


def on_a_node(path: Path) -> list[str]:
    """The modules of Ansible that a file of tasks or plays runs on a node."""
    found = tasks_in(yaml.safe_load(path.read_text()))
    there = (task for task in found if task.get("delegate_to") != "localhost")
    words = {str(word) for task in there for word in task}
    builtin = {word for word in words if word.startswith(("ansible.builtin.", "ansible.legacy."))}
    return sorted(word for word in builtin if word.rpartition(".")[2] not in WITHOUT_A_NODE)


FILES = [*CHECKOUT.glob("roles/*/*/*.yml"), *CHECKOUT.glob("playbooks/*.yml")]


@pytest.mark.fault("a module of Ansible")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_role_runs_a_module_of_ansible_on_a_node(path: Path) -> None:
    assert on_a_node(path) == []


def test_one_that_does_is_found_however_deep_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "main.yml"
    path.write_text("- block:\n    - rescue:\n        - ansible.builtin.copy: {}\n- meta: end\n")
    assert on_a_node(path) == ["ansible.builtin.copy"]
    path.write_text("- {ansible.builtin.copy: {}, delegate_to: localhost}\n")
    assert on_a_node(path) == []

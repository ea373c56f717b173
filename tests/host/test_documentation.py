"""The tables of variables say what the specifications say."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "tests"))

import document  # noqa: E402


def test_no_table_is_stale():
    argv = [sys.executable, str(CHECKOUT / "tests" / "document.py"), "--check"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_ansible_shows_each_entry_point_of_each_role_and_warns_of_nothing():
    argv = [str(Path(sys.executable).with_name("ansible-doc")), "-t", "role", "-l", "-j"]
    done = subprocess.run(
        [*argv, "hpcc.notebook"], capture_output=True, text=True, check=True,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
    )  # fmt: skip
    shown = {name: set(role["entry_points"]) for name, role in json.loads(done.stdout).items()}
    for role in (CHECKOUT / "roles").iterdir():
        points = {path.stem for path in (role / "tasks").glob("*.yml")}
        assert shown[f"hpcc.notebook.{role.name}"] - {"secrets"} == points
    assert done.stderr == ""


def test_a_stale_table_is_found_and_written_again(tmp_path, monkeypatch, capsys):
    role = tmp_path / "roles" / "demo"
    (role / "meta").mkdir(parents=True)
    (tmp_path / "playbooks").mkdir()
    option = (
        "{description: [Where it | goes., 'See C(x) and O(main:y).'], default: false, choices: [a]}"
    )
    (role / "meta" / "argument_specs.yml").write_text(
        f"argument_specs: {{main: {{short_description: A demo, options: {{demo_x: {option}}}}}}}"
    )
    (role / "README.md").write_text("before\n<!-- variables -->\nold\n<!-- /variables -->\nafter\n")
    monkeypatch.setattr(document, "CHECKOUT", tmp_path)
    monkeypatch.setattr(document, "CHANGED", ("demo_x",))
    assert document.main(["--check"]) == 1
    assert document.main([]) == 0
    assert document.main(["--check"]) == 0
    assert "is stale" in capsys.readouterr().out
    row = "| `demo_x` | `false` | Where it \\| goes. See `x` and `y`. One of `a`. |\n"
    readme = (role / "README.md").read_text()
    assert readme.startswith("before\n<!-- variables -->\n\n| variable |")
    assert readme.endswith(f"{row}\n<!-- /variables -->\nafter\n")
    assert row in (tmp_path / "docs" / "variables.md").read_text()


PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_is_copied_without_a_remark(page):
    """At a prompt, tcsh and the zsh of a Mac pass it on: `install hpcc.notebook # or from git`."""
    text = page.read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if line.startswith("$ ") and " # " in line]


@pytest.mark.parametrize("shell", ["bash", "tcsh", "zsh"])
def test_the_first_steps_can_be_typed_in_any_login_shell(tmp_path, shell):
    """Each command of the README reaches the program that it names, with what it shows."""
    first = (CHECKOUT / "README.md").read_text(encoding="utf-8").partition("## Compute on")[0]
    typed = [line[2:] for line in first.splitlines() if line.startswith("$ ")]
    assert len(typed) > 10
    (tmp_path / "bin").mkdir()
    for name in ("ansible-galaxy", "ansible-playbook", "cp", "nano"):
        program = tmp_path / "bin" / name
        program.write_text('#!/bin/sh\necho "$0 $#" >> "$HOME/ran"\n')
        program.chmod(0o755)
    quick = {"bash": "--norc", "tcsh": "-f", "zsh": "-f"}[shell]
    child = pexpect.spawn(
        shell, [quick, *(["-i"] if shell != "tcsh" else [])], timeout=30,
        env={"HOME": str(tmp_path), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "TERM": "dumb"},
    )  # fmt: skip
    for line in [*typed, "exit"]:
        child.sendline(line)
    child.expect(pexpect.EOF)
    counted = [int(each.split()[1]) for each in (tmp_path / "ran").read_text().splitlines()]
    # What is counted are words that the shell split, and a remark is none of them.
    wanted = [
        len(shlex.split(line.removeprefix("env ").partition("calm ")[2] or line)) - 1
        for line in typed
    ]
    assert counted == wanted

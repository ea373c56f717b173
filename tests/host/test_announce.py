"""What is announced can be pasted: no quotes, escapes or prefixes around it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COLLECTIONS = Path(__file__).parents[2] / "playbooks" / "collections"
LINES = ["plain", '  "quoted" \\ and {{ "{{" }} $HOME', "ä…"]
SHOWN = ["plain", '  "quoted" \\ and {{ $HOME', "ä…"]


def play(tmp_path, arguments, *options):
    """Run a playbook with one announcement; what it prints, and its exit code."""
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        "- hosts: nowhere\n  gather_facts: false\n  tasks:\n"
        f"    - hpcc.notebook.announce: {json.dumps(arguments)}\n"
    )
    (tmp_path / "ansible.cfg").touch()
    ansible = str(Path(sys.executable).with_name("ansible-playbook"))
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_HOME": str(tmp_path),
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(
        [ansible, "-i", "nowhere.invalid,nowhere,", *options, str(playbook)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr, done.returncode


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_lines_are_printed_as_they_are_and_no_host_is_contacted(tmp_path, options):
    stdout, code = play(tmp_path, {"lines": LINES}, *options)
    assert code == 0, stdout
    lines = stdout.splitlines()
    at = lines.index("plain")
    assert lines[at : at + 3] == SHOWN
    assert "changed=0" in stdout


@pytest.mark.parametrize("arguments", [{}, {"lines": ["x"], "line": "x"}])
def test_other_arguments_are_refused_by_name(tmp_path, arguments):
    stdout, code = play(tmp_path, arguments)
    assert code != 0
    assert "lines" in stdout

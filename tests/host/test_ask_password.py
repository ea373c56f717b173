"""The action ask_password in a real ansible-playbook, on a pseudo terminal and without one."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest
from jupyter_server.auth.security import passwd_check

CHECKOUT = Path(__file__).parents[2]
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
PASSWORD = "Grüße, {{ 7 * 7 }} 'and\" $HOME"
PLAY = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "pre_tasks": [
            {
                "ansible.builtin.import_role": {
                    "name": "hpcc.notebook.nbserver_profile",
                    "tasks_from": "preflight",
                }
            }
        ],
        "roles": ["hpcc.notebook.nbserver_profile"],
    }
]


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def environment(home):
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
        "ANSIBLE_LOG_PATH": str(home.parent / "ansible.log"),
        "ANSIBLE_NOCOLOR": "1",
    }


@pytest.fixture
def command(tmp_path):
    play = tmp_path / "play.yml"
    play.write_text(json.dumps(PLAY))
    inventory = tmp_path / "hosts"
    inventory.write_text(
        f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n"
    )
    return [PLAYBOOK, str(play), "-i", str(inventory)]


def stored(home: Path) -> str:
    file = home / ".ipython" / "profile_nbserver" / "jupyter_server_config.json"
    return str(json.loads(file.read_text())["IdentityProvider"]["hashed_password"])


def spawn(command, environment) -> pexpect.spawn:
    return pexpect.spawn(
        command[0], command[1:], env=environment, encoding="utf-8", timeout=60, dimensions=(50, 200)
    )


def answer(terminal: pexpect.spawn, first: str, second: str | None = None) -> None:
    terminal.expect("New notebook password for profile nbserver on localhost")
    terminal.expect(":\r\n")
    terminal.sendline(first)
    if second is not None:
        terminal.expect("The same password again:\r\n")
        terminal.sendline(second)


def spellings(secret: str) -> list[str]:
    """How a secret may look in some output."""
    return [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(secret.encode()).decode()[:-4],
    ]


def test_it_is_asked_for_twice_hidden_and_then_works(home, environment, command):
    terminal = spawn([*command, "-vvvv", "--diff"], environment)
    shown: list[str] = []
    terminal.logfile_read = type("Log", (), {"write": shown.append, "flush": lambda _: None})()
    answer(terminal, "short")
    terminal.expect("must have at least 12 characters, has 5")
    answer(terminal, PASSWORD, "something else")
    terminal.expect("The two were not the same")
    answer(terminal, PASSWORD, PASSWORD)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert passwd_check(stored(home), PASSWORD)
    output = "".join(shown) + (home.parent / "ansible.log").read_text()
    assert [text for text in spellings(PASSWORD) if text in output] == []
    assert output.count("failed=0") >= 1


def test_it_is_not_asked_for_when_the_host_has_one(home, environment, command):
    set_by_variable(home, environment, command)
    terminal = spawn(command, environment)
    terminal.expect(pexpect.EOF)
    assert "New notebook password" not in terminal.before
    assert "changed=0" in terminal.before


def test_a_forgotten_one_is_asked_for_again_by_choice_and_once(home, environment, command):
    set_by_variable(home, environment, command)
    again = [*command, "-e", "nbserver_profile_ask_password=true"]
    terminal = spawn(again, environment)
    answer(terminal, "quite another one", "quite another one")
    terminal.expect(pexpect.EOF)
    assert "New notebook password" not in terminal.before, "the second preflight has the answer"
    assert "changed=1" in terminal.before
    assert passwd_check(stored(home), "quite another one")


def set_by_variable(home, environment, command) -> str:
    """Run with the password from a vault-like file, and give all output of the loudest kind."""
    variables = home.parent / "vars.yml"
    variables.write_text(f"nbserver_profile_password: !unsafe {json.dumps(PASSWORD)}\n")
    loud = [*command, "-e", f"@{variables}", "-vvvv", "--diff"]
    ran = subprocess.run(
        loud, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout + ran.stderr


def test_a_password_from_a_variable_is_in_no_output(home, environment, command):
    output = set_by_variable(home, environment, command)
    output += (home.parent / "ansible.log").read_text()
    assert passwd_check(stored(home), PASSWORD)
    secrets = [*spellings(PASSWORD), stored(home), stored(home).rpartition("$")[2]]
    assert [text for text in secrets if text in output] == []


def seen_in_processes(secret: bytes) -> list[str]:
    """Look into arguments and environment of every process, as a neighbour or root would."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                if secret in (process / name).read_bytes():
                    found.append(f"{process.name}/{name}")
    return found


def test_a_password_from_a_variable_is_in_no_process(home, command, environment):
    variables = home.parent / "vars.yml"
    variables.write_text("nbserver_profile_password: canary-5f1c9d-canary\n")
    loud = [*command, "-e", f"@{variables}", "-e", "marker=visible-5f1c9d"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    found, looks, controls = [], 0, 0
    with subprocess.Popen(loud, env=environment, **quiet) as process:
        while process.poll() is None:
            looks += 1
            controls += bool(seen_in_processes(b"visible-5f1c9d"))
            found += seen_in_processes(b"canary-5f1c9d")
            time.sleep(0.02)
    assert process.returncode == 0
    assert found == []
    assert looks > 10
    assert controls > 10  # it sees what is there


def test_it_gives_up_after_three_tries(home, environment, command):
    terminal = spawn(command, environment)
    for _each in range(3):
        answer(terminal, "password1234")
    terminal.expect("nbserver_profile_password: no usable password in 3 tries. Run again")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 2
    assert not (home / ".ipython").exists()


def test_without_a_terminal_it_says_which_variable_to_set(home, environment, command):
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ran.returncode == 2
    assert (
        "nbserver_profile_password: there is no password yet, and no terminal to ask for one. "
        "Set this variable, best in a vault" in ran.stdout + ran.stderr
    )
    assert "Traceback" not in ran.stdout + ran.stderr
    assert not (home / ".ipython").exists()


def test_a_check_run_asks_nothing_and_names_every_change(home, environment, command):
    ran = subprocess.run(
        [*command, "--check", "--diff"], env=environment, capture_output=True, text=True,
        check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "changed=1" in ran.stdout
    assert "+jupyter_server_config.py: as wanted, for its owner only" in ran.stdout
    assert "+names: DNS:localhost, IP:127.0.0.1, IP:::1, self-signed" in ran.stdout
    assert "+password hash: present (no password is stored)" in ran.stdout
    assert not (home / ".ipython").exists()


def test_the_role_removes_what_it_made(home, environment, command):
    set_by_variable(home, environment, command)
    subprocess.run(
        [*command, "-e", "nbserver_profile_state=absent"], env=environment, check=True,
        capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert list((home / ".ipython").iterdir()) == []


def test_a_misspelt_variable_is_refused_before_any_change(home, environment, command):
    ran = subprocess.run(
        [*command, "-e", "nbserver_profile_pasword=x"], env=environment, capture_output=True,
        text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "nbserver_profile_password" in ran.stdout + ran.stderr
    assert not (home / ".ipython").exists()

"""Status with a server that runs, one of before a reboot, an unreachable host and damaged notes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playing import twice

CHECKOUT = Path(__file__).parents[3]
STATE = Path(os.environ["HPCC_NOTEBOOK_STATE"])
RUN = "/home/alice/.ipython/profile_nbserver/run"
COMMAND = [
    str(Path(sys.executable).with_name("ansible-playbook")),
    "playbooks/status.yml",
    "-i",
    str(STATE / "inventory.ini"),
]


@pytest.fixture(scope="module", autouse=True)
def played():
    twice("status")


def status(*options):
    """The lines that a person sees."""
    done = subprocess.run(
        [*COMMAND, *options],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def noted(own, host, **different):
    """What a start on another host leaves, which knows its own full name."""
    full_name = own["node"].replace("dev1", host)
    return json.dumps({**own, "host": host, "node": full_name, **different})


@pytest.fixture
def records(host):
    """Notes of other hosts, put there and taken away again."""
    own = json.loads(host.check_output(f"cat {RUN}/dev1.json"))
    for name, content in {
        "dev2": noted(own, "dev2", boot_id="another"),
        "dev-amd20": noted(own, "dev-amd20"),
        "broken": "[]",
    }.items():
        host.check_output("printf %%s %s > %s", content, f"{RUN}/{name}.json")
    host.check_output(f"ln -s /etc/hostname {RUN}/link.json")
    before = host.check_output(f"ls -l {RUN}")
    yield
    assert host.check_output(f"ls -l {RUN}") == before, "nobody's note is touched"
    host.check_output(f"cd {RUN} && rm dev2.json dev-amd20.json broken.json link.json")


def row(lines, host):
    return next(line for line in lines if line.startswith(f"{host} ")).split()


def test_every_host_and_every_note_is_shown_for_what_it_is(records, tmp_path):
    assert records is None
    inventory = STATE / "inventory.ini"
    wider = tmp_path / "inventory.ini"
    wider.write_text(inventory.read_text().replace("\ndev1\n", "\ndev1\ndev2\ndev9\n"))
    lines = status("-i", str(wider))
    assert row(lines, "dev1")[:2] == ["dev1", "running"]
    assert "JupyterLab" in row(lines, "dev1")
    assert row(lines, "dev2")[:2] == ["dev2", "rebooted"]
    assert row(lines, "dev9")[:2] == ["dev9", "unreachable"]
    assert row(lines, "dev-amd20")[:4] == ["dev-amd20", "not", "in", "inventory"]
    text = "\n".join(lines)
    assert f"{RUN}/broken.json: is not a record of a server" in text
    assert f"{RUN}/link.json: is a symbolic link" in text
    assert "-L 127.0.0.1:8888:/tmp/nbserver-1001/notebook.sock alice@dev1" in text
    assert "failed=1" not in text


def test_a_lost_socket_of_tmux_is_seen_and_a_start_brings_it_back(host):
    host.check_output("rm /tmp/nbserver-1001/tmux.sock")
    assert row(status(), "dev1")[1:3] == ["session", "lost"]
    start = [COMMAND[0], "playbooks/start.yml", *COMMAND[2:]]
    subprocess.run(start, cwd=CHECKOUT, check=True, capture_output=True)
    assert row(status(), "dev1")[1] == "running"
    assert host.run("tmux -S /tmp/nbserver-1001/tmux.sock has-session -t =nbserver").rc == 0

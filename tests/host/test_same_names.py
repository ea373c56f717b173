"""Two hosts of one name share a home, or a record is lost: each server is found where it is."""

import json
import os
import subprocess
import sys

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import inside
from ansible_collections.hpcc.notebook.plugins.module_utils._server import discovery
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import sent_program
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question

pytestmark = [
    pytest.mark.timeout(300),  # several starts, on a machine that may be busy
    pytest.mark.skipif(os.geteuid() != 0, reason="a name of one's own for a host needs root"),
]
SERVER = SCRIPTS / "shared" / "server.sh"
SHELLS = ("dash", "bash", "busybox sh")


@pytest.fixture
def dev1(owner):
    """This host is dev1.a.edu for whatever the account runs."""
    plain = owner.command
    script = 'hostname dev1.a.edu; exec "$@"'
    owner.command = lambda *argv, **environment: [
        *("unshare", "--uts", "sh", "-c", script, "sh", *plain(*argv, **environment))
    ]
    return owner


def remember(owner, **changed):
    record = {
        "schema": 3,
        "host": "dev1",
        "boot_id": "another",
        "pid": 1,
        "start_time": 1,
        "since": "2026-01-01T00:00:00Z",
        "session": owner.profile,
        "frontend": "lab",
        "version": "JupyterLab 4",
        "transport": "socket",
        "port": 8888,
        "socket": "/tmp/nbserver-1/notebook.sock",
        "certificate_sha256": "",
        "node": "dev1.b.edu",
        **changed,
    }
    directory = owner.directory / "run"
    directory.mkdir(mode=0o700)
    os.chown(directory, owner.uid, -1)
    owner.write(directory / "dev1.json", json.dumps(record))
    return directory / "dev1.json"


def test_the_record_of_another_host_of_this_name_is_never_overwritten(dev1):
    theirs = remember(dev1)
    before = theirs.read_bytes()
    found = dev1.server()
    assert (found["state"], found["host"], found["changed"]) == ("elsewhere", "dev1.b.edu", False)
    assert found["reason"].endswith(f"dev1.b.edu is gone for good, forget it: rm {theirs}")
    started = dev1.server(second=True)
    assert started["state"] == "started"
    ours = theirs.with_name("dev1.a.edu.json")
    assert json.loads(ours.read_text())["pid"] == started["pid"]
    assert dev1.server()["pid"] == started["pid"]
    servers = dev1.info()["servers"]
    assert [(each["host"], each["seen"]) for each in servers] == [("dev1", True), ("dev1", False)]
    assert len({each["gateway_socket"] for each in servers}) == 2, "their tunnels would meet"
    assert dev1.server(state="stopped")["changed"]
    assert not ours.exists()
    assert theirs.read_bytes() == before


@pytest.mark.parametrize("node", ["dev1.a.edu", "", "DEV1.A.EDU", "dev1.a.edu."])
def test_a_record_of_this_host_from_before_a_reboot_is_no_other_host(dev1, node):
    remember(dev1, node=node)
    assert dev1.server(check=True)["reason"].startswith("the host was rebooted")


def test_a_record_of_the_version_before_is_still_read(dev1):
    path = remember(dev1, schema=2)
    old = json.loads(path.read_text())
    del old["node"]
    dev1.write(path, json.dumps(old))
    assert dev1.server(check=True)["reason"].startswith("the host was rebooted")


def asked(owner, shell, *files, **settings):
    """What the shell programs of connect and doctor say of this account."""
    put = question({"PROFILE": owner.profile, **settings}, SERVER, *files)
    said = owner.run(*shell.split(), "-s", stdin=put.program)
    return put.answers(said)


def found_by_connect(owner, shell):
    node = discovery.node(asked(owner, shell, SCRIPTS / "connect" / "find.sh"))
    return discovery.choose(node)


def found_by_doctor(owner, shell):
    program = sent_program.program(inside.__name__)
    prefix = owner.home / "python"
    owner.run("mkdir", "-p", str(prefix / "bin"))
    look = asked(
        owner, shell, SCRIPTS / "doctor" / "look.sh",
        PREFIX=str(prefix), MODULE="m", PORT=1, ASKED="localhost", LOOK="", LOST_FILES="", NAMES="",
    )  # fmt: skip
    script = f'. {SERVER}; find_record "$1/run" "$2"; find_server "$1/security/notebook.crt"'
    script += '; exec "$3" -I -c "$4" "$1" "$RECORD" "$SERVER" 1'
    host = look["host"][0]
    words = [str(owner.directory), host, owner.python, program]
    said = owner.run(*shell.split(), "-c", script, "sh", *words)
    return {**{name: values[0] for name, values in look.items()},
            **dict(line.partition("=")[::2] for line in said.splitlines())}  # fmt: skip


@pytest.mark.parametrize("transport", ["socket", "tcp"])
def test_a_server_without_a_record_is_found_by_connect_and_doctor(owner, free_port, transport):
    started = owner.server(transport=transport, port=free_port)
    for shell in SHELLS:
        noted = found_by_connect(owner, shell)
        assert (noted.pid, noted.version) == (started["pid"], started["version"])
        assert found_by_doctor(owner, shell)["server"] == "running"
    owner.record.unlink()
    for shell in SHELLS:
        lost = found_by_connect(owner, shell)
        assert (lost.pid, lost.transport, lost.frontend) == (started["pid"], transport, "lab")
        assert (lost.socket, lost.start_time) == (noted.socket, noted.start_time)
        assert transport == "socket" or lost.port == free_port
        seen = found_by_doctor(owner, shell)
        assert (seen["server"], seen["server_pid"]) == ("unrecorded", str(started["pid"]))
        assert (seen["local_dir"], seen["local_dir_state"]) == (str(owner.local), "ours")


def test_a_record_that_another_host_of_this_name_has_taken_does_not_hide_a_server(owner):
    started = owner.server()
    noted = json.loads(owner.record.read_text())
    noted.update(boot_id="another", pid=1, node="else.where.edu")
    owner.write(owner.record, json.dumps(noted))
    assert found_by_connect(owner, "dash").pid == started["pid"]
    assert found_by_doctor(owner, "dash")["server_pid"] == str(started["pid"])
    assert owner.info()["servers"][0]["state"] == "running"


def test_a_fifo_anywhere_in_the_profile_does_not_stop_the_doctor(tmp_path):
    names = ("security/notebook.crt", "security/notebook.key", "jupyter_server_config.py",
             "jupyter_server_config.json", "run/dev1.json")  # fmt: skip
    program = sent_program.program(inside.__name__)
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        os.mkfifo(tmp_path / name)
    argv = [sys.executable, "-I", "-c", program, str(tmp_path), str(tmp_path / names[-1]), "", "1"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)
    assert "jupyter_server_config.py is not a regular file" in done.stdout
    script = f'. {SERVER}; find_record {tmp_path}/run dev1; recorded pid; echo "$RECORD"'
    argv = ["sh", "-c", script]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)
    assert shown.stdout == "/dev/null\n"

"""Real servers are looked at, through their whole life; nothing that is looked at changes."""

from __future__ import annotations

import json
import os
import signal
import socket
import time

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from servers import TOKEN, new_account

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def account(everybodys_python):
    account = new_account(everybodys_python)
    yield account
    account.clean_up()


def records(account):
    return {path.name: path.read_bytes() for path in (account.directory / "run").glob("*")}


def own(account):
    """What is said about the server of this host; that it was only looked at is checked, too."""
    before = records(account)
    looked = account.info()
    assert records(account) == before
    assert looked["changed"] is False
    server = looked["servers"][0]
    assert server["host"] == looked["host"] == socket.gethostname().split(".")[0]
    assert TOKEN not in json.dumps(looked)
    return server


def test_before_the_first_start_it_is_stopped(account):
    assert own(account)["state"] == "stopped"


def test_a_running_server_is_described_by_what_it_says_itself(account):
    started = account.server(modules=[], threads=2, cpu_limit=7200)
    account.curl("/api/kernels", "-H", f"Authorization: token {TOKEN}", "-X", "POST")
    found = own(account)
    assert (found["state"], found["notes"]) == ("running", [])
    same = ("pid", "since", "version", "socket", "session", "user", "certificate_sha256")
    assert {name: found[name] for name in same} == {name: started[name] for name in same}
    serves = "2 threads a kernel, counting up to 7200 seconds of CPU time"
    assert found["serves"] == f"JupyterLab over a socket, {serves}"
    assert (found["cpu_limit"], found["cpu_hard"]) == (7200, 7200)
    assert found["kernels"] == 1
    assert 20_000_000 < found["memory"] < 4_000_000_000
    assert found["last_activity"][:2] == "20"
    assert account.info()["certificate_days"] == 29


@pytest.mark.fault("that is gone under a server")
@pytest.mark.parametrize("how", ["gone", "closed"])
def test_a_directory_of_notebooks_that_is_lost_under_a_server_is_told(account, how):
    root = account.home / "notebooks"
    root.mkdir(exist_ok=True)
    os.chown(root, account.uid, -1)
    root.chmod(0o300 if how == "closed" else 0o700)
    if how == "gone":
        root.rmdir()
    text = profile.server_config(
        profile.Layout(str(account.home), account.profile), "~/notebooks", {}
    )
    path = account.directory / "jupyter_server_config.py"
    before = path.read_bytes()
    account.write(path, text)
    os.utime(path, (1, 1))  # as if it had been so at the start
    found = own(account)
    account.write(path, before)
    os.utime(path, (1, 1))
    assert found["state"] == "running"
    (note,) = found["notes"]
    assert note.startswith(f"{root}: ")
    assert ("is gone" if how == "gone" else "you may not list") in note
    assert "\n" not in note


def test_a_renewed_certificate_that_is_not_served_yet_would_be_said(account):
    """Jupyter reads it for each connection, so what is served is what was renewed."""
    account.make_certificate()
    found = own(account)
    assert (found["state"], found["notes"]) == ("running", [])


def test_a_password_that_was_changed_after_the_start_is_pending(account):
    time.sleep(3)
    (account.directory / "jupyter_server_config.json").touch()
    assert "restart applies that" in own(account)["notes"][0]


def test_a_damaged_record_is_named_and_hides_nothing(account):
    content = account.record.read_bytes()
    account.write(account.record, "[]")
    assert own(account)["state"] == "running"
    assert "is not a record of a server" in account.info()["damaged"][0]
    account.write(account.record, content)


@pytest.mark.fault("F61 seen")
def test_a_lost_tmux_socket_is_seen(account):
    (account.local / "tmux.sock").unlink()
    assert own(account)["state"] == "session lost"


def test_a_killed_server_is_dead_until_the_next_start(account):
    os.kill(own(account)["pid"], signal.SIGKILL)
    account.ends_within(30)
    found = own(account)
    assert found["state"] == "dead"
    assert found["version"].startswith("JupyterLab")


@pytest.mark.fault("F64 seen")
def test_a_server_from_before_a_reboot_is_called_that(account):
    record = json.loads(account.record.read_text())
    account.write(account.record, json.dumps({**record, "boot_id": "another"}))
    assert own(account)["state"] == "rebooted"


def test_other_hosts_are_repeated_and_never_judged(account):
    record = json.loads(account.record.read_text())
    other = account.record.with_name("dev-amd20.json")
    account.write(other, json.dumps({**record, "host": "dev-amd20", "pid": os.getpid()}))
    with socket.socket(socket.AF_UNIX) as left_by_a_tunnel:
        left_by_a_tunnel.bind(str(account.record.with_suffix(".sock")))
    found = account.info()
    account.record.with_suffix(".sock").unlink()
    assert found["damaged"] == []
    (_own, repeated) = found["servers"]
    assert (repeated["host"], repeated["seen"]) == ("dev-amd20", False)
    assert "state" not in repeated
    assert other.exists()

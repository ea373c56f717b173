"""Records of servers that are not here, or that somebody has changed."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from servers import refusal

pytestmark = pytest.mark.timeout(300)  # several starts, on a machine that may be busy


def _remember(owner, **changed):
    """A record as a start leaves it, of a server that never was."""
    record = {
        "schema": 2,
        "host": socket.gethostname().split(".")[0],
        "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "pid": 1,
        "start_time": 1,
        "since": "2026-01-01T00:00:00Z",
        "session": owner.profile,
        "frontend": "lab",
        "version": "JupyterLab 4",
        "transport": "socket",
        "port": 8888,
        "socket": f"/tmp/{owner.profile}-{owner.uid}/notebook.sock",
        "certificate_sha256": "",
        **changed,
    }
    (owner.directory / "run").mkdir(mode=0o700)
    os.chown(owner.directory / "run", owner.uid, -1)
    owner.write(owner.directory / "run" / f"{record['host']}.json", json.dumps(record))


@pytest.mark.fault("F64 reboot")
def test_a_record_from_before_a_reboot_is_no_server(owner):
    _remember(owner, boot_id="another")
    found = owner.server(check=True)
    assert found["reason"] == "the host was rebooted since the start of 2026-01-01T00:00:00Z"
    assert owner.server(state="stopped")["changed"] is False


def test_a_process_that_a_record_names_but_that_is_not_ours_is_not_touched(owner):
    bystander = subprocess.Popen(owner.command("sleep", "60"))
    try:
        _remember(owner, pid=bystander.pid)
        assert owner.server(state="stopped")["changed"] is False
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.fault("F65 another node")
def test_a_server_of_another_host_is_reported_and_no_second_one_is_started(owner):
    _remember(owner, host="another", since="2026-01-02T03:04:05Z")
    before = owner.tree()
    for state in ("started", "restarted"):
        found = owner.server(state=state)
        assert (found["state"], found["host"], found["changed"]) == ("elsewhere", "another", False)
        assert found["socket"] == str(owner.local / "notebook.sock")
        assert found["since"] == "2026-01-02T03:04:05Z"
        typed = f"forget it: rm {owner.directory}/run/another.json"
        assert found["reason"].endswith(f"if another is gone for good, {typed}")
    assert owner.tree() == before, "another host's record is not touched"
    assert owner.server(state="stopped")["changed"] is False
    assert owner.server(second=True)["changed"] is True
    assert owner.server()["state"] == "started", "the one of this host is what is meant now"


@pytest.mark.fault("a node that is gone")
def test_a_record_of_a_host_that_is_gone_is_forgotten_by_what_start_says(owner):
    _remember(owner, host="another")
    typed = owner.server()["reason"].rpartition("forget it: ")[2]
    owner.run("sh", "-c", typed)
    assert owner.server()["state"] == "started"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("[]"), "is not a record of a server"),
        (lambda path: path.write_bytes(b" " * (5 << 20)), "is larger than"),
        (lambda path: path.symlink_to("/etc/hostname"), "is a symbolic link"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_text(GOOD_RECORD), "speaks of the host 'elsewhere'"),
    ],
)
def test_a_damaged_record_of_another_host_is_named_and_never_acted_on(owner, damage, said):
    (owner.directory / "run").mkdir(mode=0o700)
    os.chown(owner.directory / "run", owner.uid, -1)
    path = owner.directory / "run" / "another.json"
    damage(path)
    if not path.is_symlink():
        os.chown(path, owner.uid, -1)
    found = owner.server(check=True)
    assert found["state"] == "started"
    (warning,) = [str(each) for each in found["warnings"]]
    assert str(path) in warning
    assert said in warning
    assert os.path.lexists(path)


def test_a_record_changed_by_hand_is_refused_with_a_way_out(owner):
    _remember(owner, pid="1")
    assert "Remove this file and run again" in refusal(owner)


GOOD_RECORD = json.dumps(
    {
        "schema": 2,
        "host": "elsewhere",
        "boot_id": "b",
        "pid": 1,
        "start_time": 1,
        "since": "2026-01-01T00:00:00Z",
        "session": "s",
        "frontend": "lab",
        "version": "JupyterLab 4",
        "transport": "tcp",
        "port": 8888,
        "socket": "",
        "certificate_sha256": "",
    }
)


def test_a_start_beside_a_job_that_may_begin_says_so(owner):
    job = owner.directory / "job"
    job.mkdir(mode=0o700)
    os.chown(job, owner.uid, -1)
    owner.write(job / "submission.json", "{}")
    told = "a job was submitted for this profile, too, and by its files may begin at any time"
    assert told in str(owner.server(check=True)["warnings"])
    assert told not in str(owner.server(state="stopped", check=True).get("warnings"))
    owner.write(job / "end.json", "{}")
    assert told not in str(owner.server(check=True).get("warnings"))


def test_a_start_beside_a_job_that_serves_does_not_say_that_it_may_begin(owner):
    _remember(owner, host="c1", job="7")
    job = owner.directory / "job"
    job.mkdir(mode=0o700)
    os.chown(job, owner.uid, -1)
    owner.write(job / "submission.json", "{}")
    found = owner.server(check=True, second=True)
    assert found["changed"] is True
    assert "may begin" not in str(found.get("warnings"))

"""Real servers are started, found, and stopped, as an ordinary user, in a real tmux."""

import json
import re
import stat
import subprocess
import time
from pathlib import Path

import pytest
from servers import TOKEN

pytestmark = pytest.mark.timeout(300)  # several starts, on a machine that may be busy


def tcp_listeners(pid):
    said = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if f"pid={pid}," in line]


@pytest.mark.fault("F59 own server")
def test_the_four_beats_of_a_start_and_of_a_stop(owner):
    untouched = owner.tree()
    checked = owner.server(check=True)
    assert owner.tree() == untouched, "a check run changes nothing on disk"
    assert owner.processes() == []
    started = owner.server()
    running = owner.tree()
    again = owner.server(check=True), owner.server()
    assert owner.tree().keys() == running.keys()
    assert [run["changed"] for run in (checked, started, *again)] == [True, True, False, False]
    assert checked["diff"] == started["diff"]
    assert again[1]["pid"] == started["pid"]
    assert again[1]["since"] == started["since"]
    assert started["version"] == checked["version"]
    assert re.fullmatch(r"JupyterLab 4\.\d+\.\d+", started["version"])
    assert started["socket"] == str(owner.local / "notebook.sock")

    _look_at_a_running_server(owner, started)

    would_stop = owner.server(state="stopped", check=True)
    assert owner.server(check=True)["pid"] == started["pid"], "it was only asked"
    stopped = owner.server(state="stopped")
    assert owner.processes() == []
    after = owner.tree()
    never = owner.server(state="stopped", check=True), owner.server(state="stopped")
    assert owner.tree() == after
    assert [run["changed"] for run in (would_stop, stopped, *never)] == [True, True, False, False]
    assert would_stop["diff"] == stopped["diff"]
    assert stopped["stopped_by"] == "it shut down cleanly"
    assert not (owner.local / "notebook.sock").exists()


def _look_at_a_running_server(owner, started):
    """With other people's tools: curl, openssl, tmux, ss, ps."""
    code = ["-o", "/dev/null", "-w", "%{http_code}"]
    assert owner.curl("/api/status", *code) == "403"
    assert owner.curl("/lab", *code) == "302", "strangers are sent to the login page"
    known = ["-H", f"Authorization: token {TOKEN}"]
    assert json.loads(owner.curl("/api/status", *known))["kernels"] == 0
    assert owner.curl("/api/status", *code, *known, "-H", "Host: evil.example") == "403"

    crt = str(owner.security / "notebook.crt")
    shown = owner.run("openssl", "x509", "-in", crt, "-noout", "-fingerprint", "-sha256")
    assert shown.strip().endswith(started["certificate_sha256"])
    tmux = ["tmux", "-S", str(owner.local / "tmux.sock")]
    assert owner.run(*tmux, "list-sessions", "-F", "#{session_name}").split() == [owner.profile]
    assert "running at" in owner.run(*tmux, "capture-pane", "-p", "-J", "-t", owner.profile)
    assert tcp_listeners(started["pid"]) == []
    children = owner.run("ps", "-o", "comm=", "--ppid", str(started["pid"]))
    assert children.split() == ["tail"], "what shows the log in the session"

    environment = Path(f"/proc/{started['pid']}/environ").read_bytes()
    argv = Path(f"/proc/{started['pid']}/cmdline").read_bytes()
    assert TOKEN.encode() not in environment + argv + owner.log.encode()
    assert not list(owner.local.glob("runtime/*-open.html"))
    ours = [str(owner.directory), str(owner.local)]
    assert owner.run("find", *ours, "-type", "f", "-perm", "/077") == ""
    assert stat.S_IMODE(owner.local.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(started["socket"]).stat().st_mode) == 0o600


def test_kernels_listen_on_no_port_and_end_with_the_server(owner):
    started = owner.server()
    known = ["-H", f"Authorization: token {TOKEN}", "-X", "POST"]
    kernel = json.loads(owner.curl("/api/kernels", *known))["id"]
    connection = json.loads((owner.local / f"runtime/kernel-{kernel}.json").read_text())
    assert connection["transport"] == "ipc"
    assert tcp_listeners(started["pid"]) == []
    assert owner.server(state="stopped")["stopped_by"] == "it shut down cleanly"
    assert owner.ends_within(10)


def test_over_tcp_only_the_chosen_port_of_loopback_is_listened_on(owner, free_port):
    started = owner.server(transport="tcp", port=free_port, frontend="notebook")
    assert started["url"] == f"https://127.0.0.1:{free_port}"
    assert (started["port"], "socket" in started) == (free_port, False)
    assert started["version"].startswith("Jupyter Notebook 7.")
    (line,) = tcp_listeners(started["pid"])
    assert f"127.0.0.1:{free_port} " in line
    assert not (owner.local / "notebook.sock").exists()
    assert owner.server(transport="tcp", port=free_port, frontend="notebook")["changed"] is False
    assert owner.server(state="stopped")["stopped_by"] == "it shut down cleanly"


def test_a_server_that_is_asked_for_differently_is_left_alone_and_said(owner):
    pid = owner.server(frontend="nbclassic")["pid"]
    again = owner.server(frontend="lab")
    assert (again["changed"], again["pid"], again["frontend"]) == (False, pid, "nbclassic")
    assert "restart it to have JupyterLab over a socket" in json.dumps(again["warnings"])
    restarted = owner.server(state="restarted", frontend="lab")
    assert (restarted["changed"], restarted["frontend"]) == (True, "lab")
    assert restarted["pid"] != pid
    assert restarted["stopped_by"] == "it shut down cleanly"


def test_two_starts_at_once_make_one_server(owner):
    both = [owner.begin(), owner.begin()]
    first, second = (owner.finish(run) for run in both)
    assert first["pid"] == second["pid"]
    assert sorted([first["changed"], second["changed"]]) == [False, True]


def test_a_renewed_certificate_is_served_at_once(owner):
    old = owner.server()["certificate_sha256"]
    owner.make_certificate()
    again = owner.server()
    assert again["changed"] is False
    assert again["certificate_sha256"] != old
    assert owner.curl("/api/status", "-o", "/dev/null", "-w", "%{http_code}") == "403"


def test_a_password_that_was_changed_after_the_start_is_said_until_a_restart(owner):
    owner.server()
    time.sleep(3)
    (owner.directory / "jupyter_server_config.json").touch()
    assert "restart applies that" in json.dumps(owner.server()["warnings"])
    owner.server(state="restarted")
    assert "warnings" not in owner.server()


def test_a_token_that_the_server_does_not_know_yet_is_said(owner):
    owner.server()
    owner.write(owner.security / "token", "another" * 6)
    assert "answered with 403 instead of 200; restart the server" in json.dumps(owner.server())
    owner.server(state="restarted")
    assert "warnings" not in owner.server()


QUICK = """
from tornado import ioloop
class Impatient(ioloop.PeriodicCallback):
    def __init__(self, callback, often, *more, **others):
        super().__init__(callback, min(often, 500), *more, **others)
ioloop.PeriodicCallback = Impatient
"""


@pytest.mark.threat(30)
def test_a_server_that_nobody_uses_ends_by_itself_when_that_was_asked_for(owner):
    owner.write(owner.directory / "jupyter_server_config.py", QUICK)
    started = owner.server(idle_shutdown=5)
    owner.curl("/api/kernels", "-H", f"Authorization: token {TOKEN}", "-X", "POST")
    assert owner.ends_within(90), "the kernel was culled, and then the server went"
    assert "No kernels for" in owner.log
    assert owner.server(check=True)["reason"] == f"the server of {started['since']} is gone"

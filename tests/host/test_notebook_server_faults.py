"""What breaks a running server: it is seen, said, and ended or put right."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes
from modules import ModuleFailed
from servers import TOKEN

pytestmark = pytest.mark.timeout(300)  # several starts, on a machine that may be busy


def test_after_a_kill_the_next_start_works_over_the_stale_socket(owner):
    first = owner.server()
    os.kill(first["pid"], signal.SIGKILL)
    owner.ends_within(10)
    assert (owner.local / "notebook.sock").exists()
    checked, second = owner.server(check=True), owner.server()
    assert second["reason"] == checked["reason"] == f"the server of {first['since']} is gone"
    assert second["pid"] != first["pid"]


DEAF = """
from jupyter_server.services.shutdown import ShutdownHandler
async def post(self):
    self.set_status(500)
ShutdownHandler.post = post
"""
STUBBORN = """
from jupyter_server.serverapp import ServerApp
ServerApp._signal_stop = lambda *_: None
"""


def test_a_server_that_is_frozen_together_with_its_tmux_is_ended(owner):
    pid = owner.server()["pid"]
    tmux = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    for each in (tmux, pid):  # in this order, because tmux lets a stopped process go on
        os.kill(each, signal.SIGSTOP)
    stopped = owner.server(state="stopped")
    assert stopped["stopped_by"] == "SIGTERM was needed"
    os.kill(tmux, signal.SIGCONT)
    assert owner.ends_within(30)


@pytest.mark.parametrize(("habit", "needed"), [(DEAF, "SIGTERM"), (DEAF + STUBBORN, "SIGKILL")])
def test_a_server_that_does_not_end_when_asked_is_ended_and_that_is_said(owner, habit, needed):
    owner.write(owner.directory / "jupyter_server_config.py", habit)
    owner.server()
    owner.curl("/api/kernels", "-H", f"Authorization: token {TOKEN}", "-X", "POST")
    stopped = owner.server(state="stopped")
    assert stopped["stopped_by"].startswith(f"{needed} was needed")
    assert stopped["kernels_ended"] == 1
    assert owner.processes() == []


def test_a_server_is_found_without_its_record(owner):
    pid = owner.server()["pid"]
    owner.record.unlink()
    found = owner.server(check=True), owner.server(), owner.server()
    assert [run["pid"] for run in found] == [pid] * 3
    assert [run["changed"] for run in found] == [True, True, False]
    assert found[0]["reason"] == "it ran without a record"


@pytest.mark.fault("F61 its socket deleted")
def test_a_deleted_socket_of_tmux_is_made_again_around_the_living_server(owner):
    pid = owner.server()["pid"]
    socket_of_tmux = owner.local / "tmux.sock"
    socket_of_tmux.unlink()
    found = owner.server(check=True), owner.server(), owner.server()
    assert [run["pid"] for run in found] == [pid] * 3
    assert [run["changed"] for run in found] == [True, True, False]
    assert found[0]["reason"] == "the socket of its tmux was gone"
    assert socket_of_tmux.is_socket()
    socket_of_tmux.unlink()
    assert owner.server(state="stopped")["changed"] is True
    assert owner.processes() == []


@pytest.mark.fault("F61 tmux killed")
def test_a_tmux_that_was_killed_is_followed_by_exactly_one_server(owner):
    first = owner.server()["pid"]
    owner.run("pkill", "-KILL", "-x", "-u", str(owner.uid), "tmux: server")
    until = time.monotonic() + 30
    while owner.info()["servers"][0]["state"] == "running" and time.monotonic() < until:
        time.sleep(0.2)
    assert owner.info()["servers"][0]["state"] in ("dead", "session lost")
    again = owner.server()
    assert again["pid"] != first
    assert processes.start_time(first) is None  # a zombie that nobody has reaped yet counts as gone
    tmux = ["tmux", "-S", str(owner.local / "tmux.sock")]
    assert owner.run(*tmux, "list-sessions", "-F", "#{session_name}").split() == [owner.profile]


def test_a_server_whose_socket_was_deleted_is_not_called_running(owner):
    pid = owner.server()["pid"]
    (owner.local / "notebook.sock").unlink()
    with pytest.raises(ModuleFailed, match=rf"process {pid}\).* its socket was removed\. Restart"):
        owner.server(timeout=6)
    stopped = owner.server(state="stopped")
    assert stopped["stopped_by"] == "SIGTERM was needed"
    assert owner.server()["pid"] != pid


IGNORING = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_a_server_inherits_no_signal_that_its_starter_ignores_or_blocks(owner, monkeypatch):
    command = owner.command
    monkeypatch.setattr(
        owner,
        "command",
        lambda *argv, **env: [sys.executable, "-c", IGNORING, *command(*argv, **env)],
    )
    pid = owner.server()["pid"]
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    ignored = {each for each in signal.Signals if int(status["SigIgn"], 16) >> (each - 1) & 1}
    assert not ignored & {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}
    assert int(status["SigBlk"], 16) == 0

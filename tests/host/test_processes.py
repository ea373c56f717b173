"""Processes are started without a shell and told apart for certain."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes


def test_a_command_gets_its_input_and_gives_both_outputs_and_its_exit_code():
    script = "import sys; print(sys.stdin.read()); print('no', file=sys.stderr); sys.exit(3)"
    done = processes.run([sys.executable, "-c", script], stdin="ä$HOME", timeout=10)
    assert (done.code, done.stdout, done.stderr) == (3, "ä$HOME\n", "no\n")


def test_no_shell_looks_at_the_arguments():
    done = processes.run(["printf", "%s", "$(id); `id` 'x' *"], timeout=10)
    assert done.stdout == "$(id); `id` 'x' *"


def test_output_that_is_not_utf8_is_shown_and_not_fatal():
    assert processes.run(["printf", r"\377"], timeout=10).stdout == r"\xff"


def test_the_environment_is_exactly_the_given_one():
    done = processes.run(["/usr/bin/env"], timeout=10, env={"ONLY": "this"})
    assert done.stdout == "ONLY=this\n"


def test_a_missing_program_is_named():
    with pytest.raises(NotebookError, match="no-such-program-here: no such program"):
        processes.run(["no-such-program-here"], timeout=1)


def test_a_command_that_hangs_is_ended_and_named():
    began = time.monotonic()
    with pytest.raises(NotebookError, match=r"sleep 60: did not finish within 0\.2 seconds"):
        processes.run(["sleep", "60"], timeout=0.2)
    assert time.monotonic() - began < 5


def test_a_file_that_cannot_be_executed_says_why(tmp_path):
    with pytest.raises(NotebookError, match="cannot be started: Permission denied"):
        processes.run([str(tmp_path)], timeout=1)


def test_the_boot_id_is_the_kernels():
    assert processes.boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_the_start_time_is_what_ps_counts_from():
    ticks = os.sysconf("SC_CLK_TCK")
    etimes = int(subprocess.check_output(["ps", "-o", "etimes=", "-p", str(os.getpid())]))
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(uptime - processes.start_time(os.getpid()) / ticks - etimes) < 2


def test_two_processes_of_one_name_differ_in_pid_or_start_time():
    assert processes.start_time(os.getpid()) != processes.start_time(1)


def test_a_process_is_gone_once_it_has_ended_even_before_its_parent_looks():
    child = subprocess.Popen(["sleep", "60"])
    assert processes.start_time(child.pid)
    processes.send_signal(child.pid, signal.SIGKILL)
    for _attempt in range(100):
        if processes.start_time(child.pid) is None:
            break
        time.sleep(0.02)
    assert processes.start_time(child.pid) is None, "a zombie counts as gone"
    child.wait()
    assert processes.start_time(child.pid) is None
    assert processes.owner(child.pid) is None
    assert processes.command_line(child.pid) == ()
    processes.send_signal(child.pid, signal.SIGTERM)  # to nobody: not an error


def test_a_program_name_with_brackets_and_spaces_does_not_shift_the_fields(tmp_path):
    odd = tmp_path / "a) R 1 (b"
    odd.symlink_to("/bin/sleep")
    child = subprocess.Popen([str(odd), "60"])
    try:
        mine = processes.start_time(os.getpid())
        assert mine <= processes.start_time(child.pid) <= mine + 3600 * os.sysconf("SC_CLK_TCK")
        until = time.monotonic() + 10  # a program that has just begun has no arguments yet
        while not processes.command_line(child.pid) and time.monotonic() < until:
            time.sleep(0.01)
        assert processes.command_line(child.pid) == (str(odd), "60")
        assert processes.owner(child.pid) == os.geteuid()
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(("family", "address"), [("AF_INET", "127.0.0.1"), ("AF_INET6", "::1")])
def test_the_owner_of_a_taken_port_is_found(family, address):
    with socket.socket(getattr(socket, family)) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        port = listener.getsockname()[1]
        assert processes.tcp_listener_uid(port) is None, "bound is not listening"
        listener.listen()
        assert processes.tcp_listener_uid(port) == os.geteuid()
    assert processes.tcp_listener_uid(port) is None


def test_the_short_hostname_has_no_domain(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "dev-intel10.hpcc.msu.edu")
    assert processes.short_hostname() == "dev-intel10"


LOCK = """
import sys
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes
try:
    with processes.locked(sys.argv[1], 5):
        print("locked")
except processes.NotebookError as error:
    print(error)
"""


@pytest.mark.fault("no locks")
@pytest.mark.parametrize("number", ["ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_named_in_one_line(tmp_path, number):
    """The kernel itself says so, as it does on some network file systems."""
    path = str(tmp_path / "lock")
    refusing = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=flock:error={number}"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "playbooks/collections")}
    said = subprocess.check_output(
        [*refusing, sys.executable, "-c", LOCK, path], env=env, text=True, timeout=60
    )
    words = os.strerror(getattr(errno, number))
    wanted = f"{path}: cannot be locked: {words}. Ask the site whether locks work there.\n"
    assert said == wanted

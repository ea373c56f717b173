# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the only file that starts processes, signals them or looks at /proc."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
CHILD_ENDS_WITHIN = 5.0  # seconds, before it is killed


@dataclass(frozen=True)
class Completed:
    """A command that has ended, and what it said."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Process:
    """One process for all time: a pid is used again, a pid with its start is not."""

    pid: int
    start_time: int

    def alive(self) -> bool:
        """Whether this very process still lives."""
        return start_time(self.pid) == self.start_time


def run(
    argv: Sequence[str],
    *,
    stdin: str = "",
    timeout: float,
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Run one program to its end, never through a shell; a non-zero exit is an answer."""
    name = argv[0]
    try:
        # run_command belongs to a module's object, and knows no time limit.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            list(argv),
            input=stdin.encode(),
            capture_output=True,
            timeout=timeout,
            env=None if env is None else dict(env),
            check=False,
            preexec_fn=_reset_signals,  # safe: a module has one thread
        )
    except FileNotFoundError as error:
        raise NotebookError("no such program", name, "Install it or load its module.") from error
    except subprocess.TimeoutExpired as error:
        raise NotebookError(f"did not finish within {timeout:g} seconds", " ".join(argv)) from error
    except OSError as error:
        raise NotebookError(f"cannot be started: {error.strerror}", name) from error
    return Completed(tuple(argv), done.returncode, _text(done.stdout), _text(done.stderr))


def _reset_signals() -> None:
    """Handle and block signals as after a login, whatever the starter (`nohup`, CI) had set."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


@contextlib.contextmanager
def child(argv: Sequence[str], env: Mapping[str, str]) -> Iterator[Process]:
    """A program that runs beside and never outlives this one, not even when this one is killed."""
    begun = subprocess.Popen(  # pylint: disable=ansible-bad-function
        list(argv),
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )
    try:
        yield Process(begun.pid, start_time(begun.pid) or 0)
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(begun.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                begun.wait(CHILD_ENDS_WITHIN)


@contextlib.contextmanager
def asked(
    argv: Sequence[str], stdin: str, env: Mapping[str, str]
) -> Iterator[Callable[[float], Completed]]:
    """A program that is begun now, and whose answer is fetched later; it never outlives this."""
    begun = subprocess.Popen(  # pylint: disable=ansible-bad-function
        list(argv),
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )

    def answer(timeout: float) -> Completed:
        try:
            printed, said = begun.communicate(stdin.encode(), timeout)
        except subprocess.TimeoutExpired as error:
            what = f"did not finish within {timeout:g} seconds"
            raise NotebookError(what, " ".join(argv)) from error
        return Completed(tuple(argv), begun.returncode, _text(printed), _text(said))

    try:
        yield answer
    finally:
        begun.kill()
        begun.wait()
        for pipe in filter(None, (begun.stdin, begun.stdout, begun.stderr)):
            with contextlib.suppress(OSError):
                pipe.close()


def _end_with_parent() -> None:
    """Ask the kernel to kill us with the process that started us."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def program(name: str) -> str:
    """Where a program lies: on the PATH, or beside the Python that runs this."""
    places = [os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    found = shutil.which(name, path=os.pathsep.join(places))
    if not found:
        raise NotebookError("no such program on this host", name, "Install it or load its module.")
    return found


@contextlib.contextmanager
def locked(path: str, timeout: float) -> Iterator[int]:
    """Do something while no other process does it; the kernel frees the lock of a killed one.

    Whoever inherits the descriptor holds it, too, until it ends.
    """
    handle = files.lock_file(path)
    try:
        _wait_for_lock(handle, path, timeout)
        yield handle
    finally:
        os.close(handle)


def _wait_for_lock(handle: int, path: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                what = f"another run has held this for {timeout:g} seconds"
                raise NotebookError(what, path, "Wait for it and run again.") from error
        except OSError as error:
            what = f"cannot be locked: {error.strerror}"
            raise NotebookError(what, path, "Ask the site whether locks work there.") from error
        time.sleep(0.05)


def mounts() -> list[str]:
    """What is mounted where, a line each, as the kernel tells this process."""
    try:
        return (PROC / "self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return []


def boot_id() -> str:
    """What tells one boot of this host from the next."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """Clock ticks from boot to the start of a living process; None when there is none.

    Together with the boot id it makes a pid unique: pids are used again, these pairs are not.
    """
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in ("Z", "X") else None


def wall_clock(ticks: int) -> float:
    """The time of day, in seconds of the epoch, for clock ticks since boot."""
    booted = next(line for line in _lines(PROC / "stat") if line.startswith("btime "))
    return int(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")


def owner(pid: int) -> int | None:
    """The uid that a process belongs to; None when there is no such process."""
    try:
        return (PROC / str(pid)).stat().st_uid
    except OSError:
        return None


def children(pid: int) -> list[Process]:
    """The living processes that this one has started and that have not left it."""
    pids = (int(entry.name) for entry in PROC.glob("[0-9]*"))
    found = [(each, _stat(each)) for each in pids]
    return [Process(each, int(s[19])) for each, s in found if s and s[1] == str(pid)]


def family(pid: int) -> list[int]:
    """A process and all that came from it and lives, by one look at all of them."""
    pids = (int(entry.name) for entry in PROC.glob("[0-9]*"))
    looked = [(each, _stat(each)) for each in pids]
    begun_by = [(each, int(fields[1])) for each, fields in looked if fields]
    members, generation = [pid], [pid]
    while generation:
        generation = [each for each, parent_pid in begun_by if parent_pid in generation]
        members += generation
    return members


def sessions_of(uid: int) -> list[int]:
    """The processes of a user that lead a session: what was begun there, not what it forked."""
    pids = (int(entry.name) for entry in PROC.glob("[0-9]*"))
    fields = ((pid, _stat(pid)) for pid in pids if owner(pid) == uid)
    return sorted(pid for pid, found in fields if found and found[3] == str(pid))


def parent(pid: int) -> int | None:
    """The process that started this one, or took it over from the one that did."""
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def resident_bytes(pid: int) -> int:
    """The memory that a process occupies; 0 when there is none."""
    fields = _stat(pid)
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process has used, its threads included; 0 when there is none."""
    fields = _stat(pid)
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def cpu_limits(pid: int) -> tuple[int, int]:
    """Seconds of CPU time after which a process is told to end, and killed; 0 is never."""
    for line in _lines(PROC / str(pid) / "limits"):
        if line.startswith("Max cpu time "):
            soft, hard = (int(word) if word.isdecimal() else 0 for word in line.split()[3:5])
            return soft, hard
    return 0, 0


def cgroups(pid: int) -> Iterator[tuple[str, str]]:
    """The controllers, none for the second version, and the path of each cgroup of a process."""
    for line in _lines(PROC / str(pid) / "cgroup"):
        _hierarchy, controllers, path = line.split(":", 2)
        yield controllers, path


def command_line(pid: int) -> tuple[str, ...]:
    """The argument vector of a process; empty when there is none or it is not ours to read."""
    return _words(pid, "cmdline")


def environment(pid: int) -> dict[str, str]:
    """The variables that a process of ours was started with; empty when there is none."""
    pairs = (word.partition("=") for word in _words(pid, "environ"))
    return {name: value for name, _equals, value in pairs}


def send_signal(pid: int, number: int) -> None:
    """Signal a process that the caller has proven to be ours; one that is gone already is fine."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def tcp_listeners(port: int) -> Iterator[tuple[str, int]]:
    """The sockets that listen on a TCP port of this host: inode, and uid of the owner."""
    for table in ("net/tcp", "net/tcp6"):
        for line in _lines(PROC / table)[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                yield fields[9], int(fields[7])


def tcp_listener_uid(port: int) -> int | None:
    """Who listens on a TCP port of this host: the uid, or None when /proc does not show it."""
    return next((uid for _inode, uid in tcp_listeners(port)), None)


def unix_listeners() -> set[str]:
    """The paths under which processes of this host listen, whether the files are there or not."""
    fields = (line.split(None, 7) for line in _lines(PROC / "net/unix")[1:])
    return {each[7] for each in fields if len(each) == 8 and each[3] == "00010000"}


def short_hostname() -> str:
    """The first label of this host's own name: what tells nodes apart that share a home."""
    return socket.gethostname().split(".")[0]


def full_hostname() -> str:
    """With its domain, by what lies on this host: the network may be down. Empty without one."""
    name = socket.gethostname()
    if "." in name:
        return name
    hosts = (line.partition("#")[0].split() for line in _lines(Path("/etc/hosts")))
    named = (word for words in hosts if name in words[1:] for word in words[1:])
    searched = (line.split()[1:] for line in _lines(Path("/etc/resolv.conf")) if _searches(line))
    domains = (f"{name}.{each[0]}" for each in searched if each)
    return next((word for word in named if word.startswith(f"{name}.")), next(domains, ""))


def _searches(line: str) -> bool:
    return line.split()[:1] in (["search"], ["domain"])


def _stat(pid: int) -> Sequence[str] | None:
    """The fields of /proc/PID/stat after the program's name, which may itself hold anything."""
    try:
        raw = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    return _text(raw).rpartition(")")[2].split()


def _words(pid: int, name: str) -> tuple[str, ...]:
    """What the kernel separates with NULs; nothing when it is not ours to read."""
    try:
        raw = (PROC / str(pid) / name).read_bytes()
    except OSError:
        return ()
    return tuple(_text(raw).split("\0")[:-1])


def _lines(path: Path) -> Sequence[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")

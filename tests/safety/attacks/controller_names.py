"""A second user of the victim's own computer takes every name there that she has seen in use.

She looks at all that a playbook makes, opens, runs or connects to in directories that others may
write to, plants something at each of these names, and waits for the next run. It has to do its work
without a look at what she planted: whatever it uses there, she must not know beforehand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from people import CHECKOUT, SAFETY, done
from report import Report

from attacks.controller import HELD, PATIENCE, STAYING, STRANGER, Desk, a_desk

PLAYBOOKS = (
    "doctor", "connect", "open", "start", "status", "setup --check", "setup", "restart", "parallel",
    "teardown --check", "stop",
)  # fmt: skip
KINDS = ("a directory", "a file", "a link", "a fifo", "a socket")
_SHARED = re.compile(r'"((?:/tmp|/var/tmp|/dev/shm|/var/lock|/run/lock)/[^"/]+)')
# Made by glibc and Python for each lock of processes, under random names that are gone at once.
_LOCK = re.compile(r"/dev/shm/(sem\.)?(mp-)?\w+")
# A program that takes one name at each run, and one that has its process' number in it.
CARELESS = "for name in $(id -u) $(id -u).$$; do true >>/tmp/hijack-careless-$name; done"


def names_of_the_computer(report: Report, *, short: bool = False) -> None:
    """Two runs of every playbook, with her things in between."""
    if os.geteuid() != 0 or not shutil.which("strace"):
        print("    names on the person's own computer: not attacked, without root or strace")
        return
    done("setup")
    done("start")
    with a_desk() as desk:
        _require_dangerous(desk)
        seen: set[str] = set()
        for line in PLAYBOOKS[:2] if short else PLAYBOOKS:
            _attacked(report, line, desk, seen)


def _attacked(report: Report, line: str, desk: Desk, seen: set[str]) -> None:
    seen |= _used(desk, desk.playbook(line))[0]
    assert seen, "a doctor has sockets in /tmp, and nothing was seen"
    with _planted(desk, seen) as planted:
        again, ended = _used(desk, desk.playbook(line))
    blocked = [f"it ended with {ended}"] * (ended != 0 and line not in STAYING)
    report.note(f"names on the person's computer, {line}", *blocked)
    for kind, paths in planted.items():
        if paths:
            report.note(
                f"{kind} at {len(paths)} names of the person's computer",
                *sorted(again & set(paths)),
                what="a thing at every name seen on the person's computer", line=line,
            )  # fmt: skip


def _require_dangerous(desk: Desk) -> None:
    """A program that comes back to a name is caught at it, and so is one that counts on."""
    argv = desk.argv("/bin/sh", "-c", CARELESS)
    seen, _ended = _used(desk, argv)
    for path in seen:
        Path(path).unlink(missing_ok=True)
    assert len(seen) == 2, seen
    with _planted(desk, seen) as planted:
        again, _ended = _used(desk, argv)
    touched = again & {path for paths in planted.values() for path in paths}
    assert len(touched) == 2, f"of {seen}, only {touched} was used again"


def _used(desk: Desk, argv: Sequence[str]) -> tuple[set[str], int]:
    """The names in shared directories that a run uses, whatever for, and how it ended.

    To look whose a thing is, without following it, is not to use it.
    """
    limit = HELD if _stays(argv) else PATIENCE
    with tempfile.NamedTemporaryFile(dir="/var/tmp", prefix="hijack-trace-") as trace:
        watched = ["strace", "-f", "--seccomp-bpf", "-qq", "-s", "300", "-o", trace.name]
        watched += ["-e", "trace=%file,bind,connect", "timeout", "--foreground", str(limit), *argv]
        run = subprocess.run(
            watched, stdin=subprocess.DEVNULL, cwd=CHECKOUT, capture_output=True, check=False
        )
        said = Path(trace.name).read_text(encoding="utf-8", errors="replace")
    own = {str(desk.home), str(Path(desk.python).parents[2])}
    lines = (line for line in said.splitlines() if "AT_SYMLINK_NOFOLLOW" not in line)
    calls = (line.partition(", [")[0] for line in lines)  # without arguments of programs
    found = {path for call in calls for path in _SHARED.findall(call)} - own
    return {path for path in found if not _LOCK.fullmatch(path)}, run.returncode


def _stays(argv: Sequence[str]) -> bool:
    """Whether it goes on until Ctrl-C."""
    names = {Path(word).stem for word in argv if word.endswith(".yml")}
    return bool(names & set(STAYING)) and "--check" not in argv


@contextmanager
def _planted(desk: Desk, names: set[str]) -> Iterator[dict[str, list[str]]]:
    """A kind at each name, and at what would come next; gives what lies where."""
    told = json.dumps({"names": sorted(names), "kinds": KINDS})
    planter = subprocess.Popen(
        desk.argv(desk.python, str(SAFETY / "attacks" / "squatter.py"), uid=STRANGER),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT,
    )  # fmt: skip
    assert planter.stdin
    assert planter.stdout
    planter.stdin.write(f"{told}\n")
    planter.stdin.flush()
    try:
        yield json.loads(planter.stdout.readline())
    finally:
        planter.communicate()
        assert planter.returncode == 0

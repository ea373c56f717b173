"""A server that greets, and a command that has to lead to it."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.running import end


@contextmanager
def greeting(place: Path) -> Iterator[str]:
    """A socket of a server that greets everybody."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    listener.accept()[0].sendall(b"hello")
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield str(place)
        listener.shutdown(socket.SHUT_RDWR)


def leads(port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(5)
        try:
            trial.connect(("127.0.0.1", port))
            return trial.recv(5) == b"hello"
        except OSError:
            return False


def opens(words: Sequence[str], port: int, tmp_path: Path) -> None:
    """Type the command somewhere else: it has to lead to the server, and to stay."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    with subprocess.Popen(words, cwd=elsewhere, stderr=subprocess.PIPE, text=True) as tunnel:
        try:
            until = time.monotonic() + 20
            while not leads(port):
                assert tunnel.poll() is None, tunnel.stderr and tunnel.stderr.read()
                assert time.monotonic() < until
                time.sleep(0.05)
        finally:
            end(tunnel)

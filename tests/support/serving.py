"""A server that is asked all the time, while something about it is changed."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from servers import TOKEN, Account

ASKED = f"GET /api/status HTTP/1.0\r\nHost: localhost\r\nAuthorization: token {TOKEN}\r\n\r\n"


def status(path: str, context: ssl.SSLContext) -> str:
    """The first line of what the server says to one who knows the token."""
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(30)
        plain.connect(path)
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            secured.sendall(ASKED.encode())
            return secured.makefile("rb").readline().decode()


@dataclass
class Asked:
    """What became of the requests."""

    number: int = 0
    failed: list[str] = field(default_factory=list)
    in_trial: list[str] = field(default_factory=list)  # of these, while the new one had its trial


@contextmanager
def requests(account: Account) -> Iterator[Asked]:
    """Ask the server all the time, with the token, by the certificate that it has now."""
    asked, end = Asked(), threading.Event()
    thread = threading.Thread(target=_ask, args=(account, asked, end))
    thread.start()
    try:
        yield asked
        deadline = time.monotonic() + 30
        while asked.number <= 3 and time.monotonic() < deadline:  # some refusals are quick
            time.sleep(0.05)
    finally:
        end.set()
        thread.join()
    assert asked.number > 3


def _ask(account: Account, asked: Asked, end: threading.Event) -> None:
    local = account.local
    while not end.wait(0.05):
        asked.number += 1
        try:
            context = ssl.create_default_context(cafile=str(account.security / "notebook.crt"))
            said = status(str(local / "notebook.sock"), context)
        except OSError as error:  # a request that a person would have missed
            said = repr(error)
        if " 200 " not in said:
            asked.failed.append(said)
            asked.in_trial += [said] if (local / "trial.sock").exists() else []


@contextmanager
def instead(account: Account, path: Path, content: str) -> Iterator[None]:
    """Another content of a file, for a while."""
    before = path.read_bytes() if path.exists() else None
    account.write(path, content)
    try:
        yield
    finally:
        if before is None:
            path.unlink()
        else:
            account.write(path, before)


@contextmanager
def planted(account: Account, package: str, text: str) -> Iterator[None]:
    """A package of the installation that the server runs on, for a while."""
    if os.geteuid() != 0:
        pytest.skip("the Python of these tests is everybody's own")
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([account.python, "-c", asked], text=True).strip())
    (site / package).mkdir()
    (site / package / "__init__.py").write_text(text)
    try:
        yield
    finally:
        shutil.rmtree(site / package)

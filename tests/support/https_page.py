"""A page over TLS on this machine, and what a browser that ignores nothing makes of it."""

from __future__ import annotations

import http.server
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from playwright.sync_api import Error, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FIREFOX = "/usr/bin/firefox-esr"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Page(http.server.HTTPServer):
    """A list of files; who asks for it has accepted the certificate, and who refuses says so."""

    met: ClassVar[list[tuple[int, bool]]] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            found = super().get_request()
        except ssl.SSLError:
            self.met.append((self.server_port, False))
            raise
        self.met.append((self.server_port, True))
        return found


@contextmanager
def served(security: Path) -> Iterator[int]:
    """The port of a server with the certificate of a profile, as it is now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(security / "notebook.crt", security / "notebook.key")
    server = Page(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def visit(port: int) -> str:
    """What a fresh Chromium of this home directory says: a status, or what it warns of."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=False, args=QUIET, env=dict(os.environ)
        )
        try:
            answer = browser.new_page().goto(f"https://127.0.0.1:{port}/", timeout=60_000)
            return f"{answer.status}" if answer else "nothing"
        except Error as error:
            return str(error)
        finally:
            browser.close()


def accepted_by_firefox(port: int, profile: Path) -> bool:
    """Whether a Firefox with this profile accepts the certificate, as the server sees it."""
    before = len(Page.met)
    argv = [FIREFOX, "--headless", "--no-remote", "--profile", str(profile)]
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen(
            [*argv, "--screenshot", f"{place}/picture.png", f"https://127.0.0.1:{port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=place,
        ) as firefox,
    ):  # fmt: skip
        until = time.monotonic() + 60
        while not Page.met[before:] and time.monotonic() < until:
            time.sleep(0.2)
        firefox.terminate()
    (first, *_more) = Page.met[before:]
    assert first[0] == port
    return first[1]

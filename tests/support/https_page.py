"""A page over TLS on this machine, and what a browser that ignores nothing makes of it."""

from __future__ import annotations

import http.server
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@contextmanager
def served(security: Path) -> Iterator[int]:
    """The port of a server with the certificate of a profile, as it is now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(security / "notebook.crt", security / "notebook.key")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
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

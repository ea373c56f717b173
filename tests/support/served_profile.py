"""A running JupyterLab of a profile of this machine, asked over its socket."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.hpcc.notebook.plugins.modules import (
    ipython_profile,
    notebook_certificate,
    notebook_password,
)
from modules import run_module

PERSON = "<b>Eve</b> & {{ 6 * 7 }}"


class OverSocket(http.client.HTTPConnection):
    """TLS over a Unix socket, verified against the certificate of the profile."""

    def __init__(self, path, trusted):
        super().__init__("localhost", timeout=20)
        self.path, self.trusted = str(path), ssl.create_default_context(cafile=str(trusted))

    def connect(self):
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(self.path)
        self.sock = self.trusted.wrap_socket(plain, server_hostname="localhost")


class Server:
    """A running JupyterLab of the profile."""

    python = sys.executable

    def __init__(self, home, **more: str):
        self.home, self.more = home, more
        self.profile = home / ".ipython" / "profile_nbserver"
        self.runtime = home / "run"
        self.socket = home / "s"
        self.log = home / "log"

    def command(self) -> list[str]:
        root = ["--allow-root"] if os.geteuid() == 0 else []
        listen = [f"--ServerApp.sock={self.socket}", "--ServerApp.sock_mode=0600"]
        return [self.python, "-m", "jupyterlab", *listen, *root]

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "USER": PERSON,
            "JUPYTER_CONFIG_DIR": str(self.profile),
            "JUPYTER_PATH": str(self.profile / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTER_TOKEN_FILE": str(self.profile / "security" / "token"),
            "TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR": "1",
            **self.more,
        }

    def connection(self, certificate) -> http.client.HTTPConnection:
        return OverSocket(self.socket, certificate)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str):
        connection = self.connection(self.profile / "security" / "notebook.crt")
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()

    def authorization(self) -> dict[str, str]:
        token = (self.profile / "security" / "token").read_text()
        return {"Authorization": f"token {token}"}

    def start(self) -> None:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command(), env=self.environment(), cwd=self.home, stdout=log, stderr=log
            )
        self.wait(self.process)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.socket.unlink(missing_ok=True)

    def wait(self, process) -> None:
        for _each in range(600):
            assert process.poll() is None, self.log.read_text()
            try:
                self.ask("GET", "/api")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.log.read_text())


@contextmanager
def serving(server: Server, password: str, settings: str = "", **profile: object) -> Iterator[None]:
    """A profile that the three modules make, with more settings in it, and its server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(server.home))
        run_module(ipython_profile, **profile)
        run_module(notebook_certificate)
        run_module(notebook_password, password=password)
        with (server.profile / "jupyter_server_config.py").open("a") as config:
            config.write(settings)
        server.runtime.mkdir(mode=0o700)
        try:
            server.start()
            yield
        finally:
            server.stop()

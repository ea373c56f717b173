"""All three modules together: JupyterLab itself is started from the profile that they make."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

import pytest
from ansible_collections.hpcc.notebook.plugins.modules import (
    ipython_profile,
    notebook_certificate,
    notebook_password,
)
from jupyter_server.auth.security import passwd_check
from modules import run_module

PASSWORD = "pä😀 \"'$`\\{{x}}% long"
OPTIONS = {"MappingKernelManager.cull_idle_timeout": 86400}


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

    def __init__(self, home):
        self.home = home
        self.profile = home / ".ipython" / "profile_nbserver"
        self.runtime = home / "run"
        self.socket = home / "s"
        self.log = home / "log"

    def command(self) -> list[str]:
        root = ["--allow-root"] if os.geteuid() == 0 else []
        listen = [f"--ServerApp.sock={self.socket}", "--ServerApp.sock_mode=0600"]
        return [sys.executable, "-m", "jupyterlab", *listen, *root]

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "JUPYTER_CONFIG_DIR": str(self.profile),
            "JUPYTER_PATH": str(self.profile / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTER_TOKEN_FILE": str(self.profile / "security" / "token"),
            "TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR": "1",
        }

    def ask(self, method: str, path: str, body: str | None = None, **headers: str):
        connection = OverSocket(self.socket, self.profile / "security" / "notebook.crt")
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()

    def authorization(self) -> dict[str, str]:
        token = (self.profile / "security" / "token").read_text()
        return {"Authorization": f"token {token}"}

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


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    server = Server(tmp_path_factory.mktemp("h"))
    patch.setenv("HOME", str(server.home))
    run_module(ipython_profile, root_dir='~/it\'s "x" books', options=OPTIONS)
    run_module(notebook_certificate)
    run_module(notebook_password, password=PASSWORD)
    server.runtime.mkdir(mode=0o700)
    with server.log.open("w") as log:
        process = subprocess.Popen(
            server.command(), env=server.environment(), stdout=log, stderr=log
        )
    try:
        server.wait(process)
        yield server
    finally:
        process.terminate()
        process.wait(30)
        patch.undo()


def test_every_option_is_understood(server):
    log = server.log.read_text()
    assert "not recognized" not in log
    assert "Traceback" not in log


def test_the_settings_are_those_of_the_profile(server):
    shown = subprocess.run(
        [*server.command(), "--show-config-json"],
        env=server.environment(), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    config = json.loads(shown[shown.index("\n{") :] if not shown.startswith("{") else shown)
    assert config["ServerApp"]["root_dir"] == f'{server.home}/it\'s "x" books'
    assert config["ServerApp"]["port_retries"] == 0
    assert config["MappingKernelManager"]["cull_idle_timeout"] == 86400
    assert config["KernelManager"]["transport"] == "ipc"


def test_a_stranger_is_refused(server):
    assert server.ask("GET", "/api/contents")[0].status == 403
    assert server.ask("GET", "/api/contents", Authorization="token x")[0].status == 403
    assert server.ask("GET", "/lab")[0].status == 302


def log_in(server, password: str):
    """Send the login page as a browser does."""
    page, _text = server.ask("GET", "/login")
    cookie = page.getheader("Set-Cookie").split(";")[0]
    form = urllib.parse.urlencode({"_xsrf": cookie.partition("=")[2], "password": password})
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    answer, _text = server.ask("POST", "/login", form, Cookie=cookie, **form_type)
    return answer


def test_the_password_logs_in_and_another_one_does_not(server):
    assert log_in(server, PASSWORD).status == 302
    assert log_in(server, f"{PASSWORD}!").status == 401


def test_jupyter_ignores_spaces_around_what_is_typed_as_our_hash_does(server):
    assert log_in(server, f" {PASSWORD} ").status == 302


def test_the_kernel_is_ours_and_listens_on_files(server):
    answer, text = server.ask("POST", "/api/kernels", "{}", **server.authorization())
    assert answer.status == 201, text
    (connection,) = server.runtime.glob("kernel-*.json")
    assert json.loads(connection.read_text())["transport"] == "ipc"
    found = json.loads(server.ask("GET", "/api/kernelspecs", **server.authorization())[1])
    spec = found["kernelspecs"]["python3"]["spec"]
    assert spec["argv"][-1] == "--profile=nbserver"


def test_the_token_is_nowhere_but_in_files_that_only_the_owner_can_open(server):
    token = (server.profile / "security" / "token").read_text()
    holding = [
        path
        for path in server.home.rglob("*")
        if path.is_file() and token in path.read_text("latin-1")
    ]
    assert {path.stat().st_mode & 0o077 for path in holding} == {0}
    assert not list(server.runtime.glob("*open.html"))
    assert token not in server.log.read_text()
    assert not re.search(r"token=(?!\.\.\.)\w", server.log.read_text())


def test_nothing_is_written_into_the_persons_own_jupyter(server):
    assert not (server.home / ".jupyter").exists()


def test_the_signatures_stay_on_the_node(server):
    server.ask("PUT", "/api/contents/a.ipynb", json.dumps(NOTEBOOK), **server.authorization())
    server.ask("GET", "/api/contents/a.ipynb", **server.authorization())
    assert (server.runtime / "nbsignatures.db").exists()


NOTEBOOK = {
    "type": "notebook",
    "format": "json",
    "content": {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
}


def test_killed_at_any_moment_the_next_run_makes_everything_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for attempt in range(25):
        child = os.fork()
        if child == 0:
            prepare_with(f"{PASSWORD} {attempt}", key_type="ec" if attempt % 2 else "rsa")
            os._exit(0)
        time.sleep(attempt * 0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert any(prepare_with(PASSWORD))
    assert not any(prepare_with(PASSWORD))
    security = tmp_path / ".ipython" / "profile_nbserver" / "security"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(security / "notebook.crt", security / "notebook.key")
    stored = json.loads((security.parent / "jupyter_server_config.json").read_text())
    assert passwd_check(stored["IdentityProvider"]["hashed_password"], PASSWORD)


def prepare_with(password: str, key_type: str = "ec") -> list[bool]:
    """Do what the role does, and say what changed."""
    size = {"ec": 256, "rsa": 2048}[key_type]
    return [
        run_module(ipython_profile)["changed"],
        run_module(notebook_certificate, key_type=key_type, key_size=size)["changed"],
        run_module(notebook_password, password=password)["changed"],
    ]

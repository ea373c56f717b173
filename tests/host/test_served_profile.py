"""All three modules together: JupyterLab itself is started from the profile that they make."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import meters, time_left
from ansible_collections.hpcc.notebook.plugins.modules import (
    ipython_profile,
    notebook_certificate,
    notebook_password,
)
from jupyter_server.auth.security import passwd_check
from modules import run_module
from served_profile import Server, serving

PASSWORD = "pä😀 \"'$`\\{{x}}% long"
WRONG = "That is not the password of this notebook."
OPTIONS = {"MappingKernelManager.cull_idle_timeout": 86400}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("h"))
    with serving(server, PASSWORD, root_dir='~/it\'s "x" books', options=OPTIONS):
        yield server


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
    answer, text = server.ask("POST", "/login", form, Cookie=cookie, **form_type)
    answer.text = text
    return answer


@pytest.mark.fault("61 any letters")
def test_the_password_logs_in_and_another_one_does_not(server):
    assert log_in(server, PASSWORD).status == 302
    assert log_in(server, f"{PASSWORD}!").status == 401


def test_the_login_page_says_whose_notebook_it_is_and_where_and_which_password_is_meant(server):
    text = server.ask("GET", "/login")[1]
    node = socket.gethostname().partition(".")[0]
    person = "&lt;b&gt;Eve&lt;/b&gt; &amp; {{ 6 * 7 }}"
    assert f"<h1>Notebook of {person} on {node}</h1>" in text
    assert f"<title>Log in: {node} (nbserver)</title>" in text
    assert "It is the one that you chose in setup, not that of your account." in text
    assert "hpcc.notebook.setup -i my.ini -e nbserver_profile_ask_password=true" in text
    assert "token" not in text.lower()
    assert WRONG not in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("typed", ["wrong", "", "<script>alert(1)</script>"])
def test_a_wrong_password_is_said_and_not_shown(server, typed):
    answer = log_in(server, typed)
    assert answer.status == 401
    assert WRONG in answer.text
    assert "alert(1)" not in answer.text


def test_the_address_to_go_on_to_cannot_leave_its_place_in_the_page(server):
    text = server.ask("GET", "/login?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")[1]
    assert "<script>" not in text


def test_the_title_of_a_tab_says_node_and_profile(server):
    node = socket.gethostname().partition(".")[0]
    for page in ("/lab", "/tree"):
        text = server.ask("GET", page, **server.authorization())[1]
        assert f'"appName": "{node} (nbserver)"' in text, page


def page_config(server, page: str) -> dict[str, object]:
    text = server.ask("GET", page, **server.authorization())[1]
    found = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


@pytest.mark.parametrize("page", ["/lab", "/tree"])
def test_the_extension_of_the_profile_is_offered_and_told_of_no_end_where_there_is_none(
    server, page
):
    config = page_config(server, page)
    (ours,) = (each for each in config["federated_extensions"] if each["name"] == time_left.NAME)
    for script in (ours["load"], "static/time-left.js"):
        address = f"{config['fullLabextensionsUrl']}/{time_left.NAME}/{script}"
        text = server.ask("GET", address, **server.authorization())[1]
        assert text == time_left.FILES[f"{time_left.DIRECTORIES[1]}/{script}"]
    assert time_left.IN_PAGE not in config


def test_a_page_of_a_job_says_how_long_it_is_until_its_end(server):
    at = time.time() + 1000
    job = Server(server.home, **{meters.END: time_left.announced(at, 7200)})
    job.socket, job.log = server.home / "j", server.home / "joblog"
    try:
        job.start()
        for page in ("/lab", "/tree"):
            end = page_config(job, page)[time_left.IN_PAGE]
            assert abs(end["left"] - (at - time.time())) < 30
            assert end["warnings"] == [900, 300]
    finally:
        job.stop()


NOTIFICATION = "/lab/api/settings/@jupyterlab/apputils-extension:notification"
SAVING = "/lab/api/settings/@jupyterlab/docmanager-extension:plugin"


def defaults(server, path: str) -> dict[str, object]:
    found = json.loads(server.ask("GET", path, **server.authorization())[1])
    return {name: of.get("default") for name, of in found["schema"]["properties"].items()}


def test_jupyterlab_asks_the_internet_for_nothing_and_saves_each_minute(server):
    notification, saving = defaults(server, NOTIFICATION), defaults(server, SAVING)
    assert (notification["fetchNews"], notification["checkForUpdates"]) == ("false", False)
    assert (saving["autosave"], saving["autosaveInterval"]) == (True, 60)


def test_what_a_person_chooses_in_jupyterlab_wins(server):
    own = json.dumps({"raw": '{"fetchNews": "true"}'})
    assert server.ask("PUT", NOTIFICATION, own, **server.authorization())[0].status == 204
    found = json.loads(server.ask("GET", NOTIFICATION, **server.authorization())[1])
    assert found["settings"] == {"fetchNews": "true"}
    kept = server.profile / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    assert "true" in (kept / "notification.jupyterlab-settings").read_text()


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


FOREIGN = "https://evil.example"


def session(server, password: str = PASSWORD) -> dict[str, str]:
    """What a browser sends once it is logged in, with the proof that a page of ours sent it."""
    answer = log_in(server, password)
    cookies = [value.split(";")[0] for value in answer.headers.get_all("Set-Cookie")]
    page, _text = server.ask("GET", "/lab", Cookie="; ".join(cookies))
    more = [value.split(";")[0] for value in page.headers.get_all("Set-Cookie") or []]
    jar = dict(cookie.split("=", 1) for cookie in (*cookies, *more))
    cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
    return {"Cookie": cookie, "X-XSRFToken": jar["_xsrf"]}


@pytest.mark.threat(18)
def test_a_page_that_rebinds_its_name_to_this_computer_is_refused(server):
    known = server.authorization()
    for name in ("evil.example", "evil.example:8888", "127.0.0.1.evil.example", "192.0.2.1"):
        assert server.ask("GET", "/api/contents", Host=name, **known)[0].status == 403
    assert server.ask("GET", "/api/contents", Host="127.0.0.1:8888", **known)[0].status == 200


@pytest.mark.threat(18)
def test_another_sites_page_can_neither_change_nor_read_anything(server):
    known = session(server)
    unproven = {"Cookie": known["Cookie"]}
    assert server.ask("POST", "/api/kernels", "{}", **unproven)[0].status == 403
    for headers in ({**known, "Origin": FOREIGN}, {**unproven, "Referer": f"{FOREIGN}/x"}):
        assert server.ask("POST", "/api/contents", "{}", **headers)[0].status in (403, 404)
    assert server.ask("POST", "/api/contents", "{}", **known)[0].status == 201
    answer = server.ask("GET", "/api/contents", Origin=FOREIGN, **known)[0]
    assert answer.getheader("Access-Control-Allow-Origin") is None
    frames = answer.getheader("Content-Security-Policy")
    assert "frame-ancestors 'self'" in frames


@pytest.mark.threat(18)
def test_another_sites_page_cannot_open_a_channel_to_a_kernel(server):
    known = session(server)
    made = json.loads(server.ask("POST", "/api/kernels", "{}", **server.authorization())[1])
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    path = f"/api/kernels/{made['id']}/channels"
    assert server.ask("GET", path, Origin=FOREIGN, **upgrade, **known)[0].status == 403
    server.ask("DELETE", f"/api/kernels/{made['id']}", **server.authorization())


@pytest.mark.fault("F71 old cookies")
@pytest.mark.threat(11)
def test_a_changed_password_ends_old_sessions_even_if_the_change_was_interrupted(server):
    """The last test of this server: it is started anew, twice."""
    before = session(server)
    assert server.ask("GET", "/api/contents", **before)[0].status == 200
    interrupt_after_the_cookie_secret("quite another one")
    server.stop()
    server.start()
    assert server.ask("GET", "/api/contents", **before)[0].status == 403
    between = session(server)
    run_module(notebook_password, password="quite another one")
    server.stop()
    server.start()
    assert server.ask("GET", "/api/contents", **between)[0].status == 403
    outdated = log_in(server, PASSWORD)
    assert (outdated.status, WRONG in outdated.text) == (401, True)
    assert log_in(server, "quite another one").status == 302


def interrupt_after_the_cookie_secret(password: str) -> None:
    """Change the password, and be killed before the new hash is written."""
    written, write = [], files.write_private

    def write_once(path, content):
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "write_private", write_once)
        with pytest.raises(KeyboardInterrupt):
            run_module(notebook_password, password=password)
    assert written[0].endswith("cookie_secret")


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

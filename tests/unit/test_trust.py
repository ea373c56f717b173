"""The authority of a notebook's certificate, judged by openssl, curl and a real browser."""

from __future__ import annotations

import http.server
import os
import shlex
import ssl
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils.profile import (
    certificate,
    crypto,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.modules import notebook_certificate
from cryptography.hazmat.primitives import serialization
from modules import four_beats, run_module
from playwright.sync_api import Error, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
DOCUMENT = Path(__file__).parents[2] / "docs" / "certificates.md"


@pytest.fixture(autouse=True)
def security(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".ipython" / "profile_nbserver" / "security"


@pytest.fixture
def made(security):
    run_module(notebook_certificate, authority=True)
    return security


@pytest.fixture
def port(made):
    """A server with the certificate of the profile, on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made / "notebook.crt", made / "notebook.key")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def openssl(*arguments, **options):
    command = ["openssl", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("names", [[], ["dev1.example.org", "192.0.2.7"]])
def test_four_beats(names):
    four_beats(notebook_certificate, authority=True, names=names)


@pytest.mark.parametrize("before", [True, False])
def test_the_wish_for_an_authority_changes_the_pair_once(security, before):
    run_module(notebook_certificate, authority=before)
    beats = four_beats(notebook_certificate, authority=not before)
    assert "self-signed" in beats[0]["reason"]
    assert (security / "authority.crt").exists() is not before


def test_openssl_sees_an_authority_that_is_constrained_to_these_names(made):
    text = openssl("x509", "-in", made / "authority.crt", "-noout", "-text").stdout
    assert "CA:TRUE, pathlen:0" in text
    permitted = text.partition("X509v3 Name Constraints: critical")[2].split("X509v3")[0].split()
    assert permitted == [
        "Permitted:",
        "DNS:localhost",
        "IP:127.0.0.1/255.255.255.255",
        "IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF",
    ]


def test_openssl_accepts_the_notebook_and_refuses_another_site(made, tmp_path):
    ours = openssl("verify", "-CAfile", made / "authority.crt", made / "notebook.crt")
    assert ours.returncode == 0, ours.stderr
    # Its key is gone; so the attacker gets one that is made in just the same way.
    wanted = certificate.Wanted("ec", 256, certificate.names_for([]), 90, 30, authority=True)
    stolen = crypto.new_authority(wanted, datetime.now(UTC))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files = {name: tmp_path / name for name in ("ca.key", "ca.crt", "evil.key", "evil.crt")}
    key = stolen.key.private_bytes(*form, serialization.NoEncryption())
    files["ca.key"].write_bytes(key)
    files["ca.crt"].write_bytes(stolen.certificate)
    signed = openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=www.example.com",
        "-addext", "subjectAltName=DNS:www.example.com", "-CA", files["ca.crt"],
        "-CAkey", files["ca.key"], "-keyout", files["evil.key"], "-out", files["evil.crt"],
    )  # fmt: skip
    assert signed.returncode == 0, signed.stderr
    refused = openssl("verify", "-CAfile", files["ca.crt"], files["evil.crt"])
    assert "error 47" in refused.stderr


def test_the_key_of_the_authority_is_in_no_file(made):
    keys = [path for path in made.parent.rglob("*") if path.is_file() and b"PRIVATE" in
            path.read_bytes()]  # fmt: skip
    assert keys == [made / "notebook.key"]
    public = openssl("pkey", "-in", keys[0], "-pubout").stdout
    authority = openssl("x509", "-in", made / "authority.crt", "-noout", "-pubkey").stdout
    assert public != authority


def test_a_renewal_brings_a_new_authority_and_says_so(made):
    before = (made / "authority.crt").read_bytes()
    renewed = run_module(notebook_certificate, authority=True, renew_days=364, days=365)
    assert renewed["changed"] is False
    renewed = run_module(notebook_certificate, authority=True, renew_days=395, days=396)
    assert "expires in" in renewed["reason"]
    assert (made / "authority.crt").read_bytes() != before


@pytest.mark.parametrize("damaged", [b"", b"another"])
def test_an_authority_that_did_not_sign_is_replaced(made, damaged):
    (made / "authority.crt").write_bytes(damaged)
    assert "authority" in run_module(notebook_certificate, authority=True)["reason"]
    assert openssl("verify", "-CAfile", made / "authority.crt", made / "notebook.crt").stdout


def test_curl_needs_nothing_but_the_authority(made, port):
    ask = ["curl", "-sS", "-o", "/dev/null", f"https://127.0.0.1:{port}/"]
    subprocess.run([*ask, "--cacert", made / "authority.crt"], check=True)
    assert subprocess.run(ask, stderr=subprocess.DEVNULL, check=False).returncode == 60


def visit(port: int) -> str:
    """What a fresh Chromium that ignores nothing makes of the page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=False, args=QUIET, env=dict(os.environ)
        )
        try:
            answer = browser.new_page().goto(f"https://127.0.0.1:{port}/", timeout=60_000)
            return f"{answer.status}"
        except Error as error:
            return str(error)
        finally:
            browser.close()


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here")
def test_chromium_shows_no_warning_once_the_printed_commands_were_typed(made, port, tmp_path):
    assert "ERR_CERT_AUTHORITY_INVALID" in visit(port)
    typed = trust.COMMANDS["Chrome, Chromium or Edge on Linux"]
    (tmp_path / trust.FILE).write_bytes((made / "authority.crt").read_bytes())
    subprocess.run(["sh", "-ec", "\n".join(typed)], check=True, cwd=tmp_path)
    assert visit(port) == "200"


RESULT = {
    "changed": True,
    "not_after": "2027-07-18T09:30:00Z",
    "authority_path": "/home/alice/.ipython/profile_nbserver/security/authority.crt",
}
NODE = {
    "inventory_hostname": "dev1",
    "ansible_user": "alice",
    "ansible_ssh_common_args": "-J alice@gateway.example.org",
}


def test_the_lines_name_the_way_and_every_browser():
    said = trust.lines(RESULT, NODE)
    (fetch,) = [line for line in said if trust.FILE in line and "ssh" in line]
    assert shlex.split(fetch)[:-2] == [
        "ssh", "-a", "-T", "-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none",
        "-J", "alice@gateway.example.org", "alice@dev1",
        f"cat {RESULT['authority_path']}",
    ]  # fmt: skip
    assert "2027-07-18" in "\n".join(said)
    for where, typed in trust.COMMANDS.items():
        assert f"  {where}:\n    " + "\n    ".join(typed) in said


def test_nothing_is_said_when_nothing_is_new_and_no_command_in_a_check_run():
    assert trust.lines({"changed": False}, NODE) == []
    assert "ssh" not in "\n".join(trust.lines({"changed": True}, NODE, check=True))


def test_on_the_cluster_itself_it_is_copied():
    said = trust.lines(RESULT, {"inventory_hostname": "localhost", "ansible_connection": "local"})
    assert f"    cp {RESULT['authority_path']} {trust.FILE}" in said


def test_the_document_shows_the_same_commands():
    text = DOCUMENT.read_text(encoding="utf-8")
    for where, typed in trust.COMMANDS.items():
        assert f"**{where}**" in text
        for line in typed:
            assert line in text, line

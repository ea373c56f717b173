"""The authority of a notebook's certificate, judged by openssl, curl and a real browser."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    certificate,
    crypto,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.modules import notebook_certificate
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from https_page import CHROMIUM, served, visit
from modules import four_beats, run_module
from one_task import TaskFailed, run_task

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
    with served(made) as port:
        yield port


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


@pytest.mark.threat(21)
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


@pytest.mark.threat(21)
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


@pytest.mark.threat(22)
def test_curl_needs_nothing_but_the_authority(made, port):
    ask = ["curl", "-sS", "-o", "/dev/null", f"https://127.0.0.1:{port}/"]
    subprocess.run([*ask, "--cacert", made / "authority.crt"], check=True)
    assert subprocess.run(ask, stderr=subprocess.DEVNULL, check=False).returncode == 60


@pytest.mark.threat(22)
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here")
def test_chromium_shows_no_warning_once_the_printed_commands_were_typed(made, port, tmp_path):
    assert "ERR_CERT_AUTHORITY_INVALID" in visit(port)
    typed = trust.typed("Chrome, Chromium or Edge on Linux", str(made / "authority.crt"))
    subprocess.run(["sh", "-ec", "\n".join(typed)], check=True, cwd=tmp_path)
    assert visit(port) == "200"


NOW = datetime.now(UTC)
NAMES = certificate.names_for(["dev1.example.org"])
WANTED = certificate.Wanted("ec", 256, NAMES, 90, 30, authority=True)


def chain(signed_by=None, wanted=WANTED, now=NOW):
    """A certificate and its authority, as a node sends them."""
    made = signed_by or crypto.new_authority(wanted, now)
    with mock.patch.object(crypto, "new_authority", return_value=made):
        return crypto.new_certificate(crypto.new_key("ec", 256), wanted, "a notebook", now)


def forged(*changes, days=90):
    """An authority whose extensions were changed: a function gets each and may give another."""
    real = crypto._signed

    def signed(issuer, owner, key, extensions, validity):
        for change in changes:
            extensions = [new for each in extensions if (new := change(*each))]
        return real(issuer, owner, key, extensions, (validity[0], days))

    with mock.patch.object(crypto, "_signed", signed):
        return crypto.new_authority(WANTED, NOW)


def other(kind, replacement=None, critical=True):
    """Another value for one extension; without one it is left out."""

    def change(value, as_before):
        if not isinstance(value, kind):
            return value, as_before
        return (replacement, critical) if replacement else None

    return change


CODE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
NARROW = x509.NameConstraints([x509.DNSName("localhost")], None)
WIDE = x509.NameConstraints([x509.DNSName(""), x509.DNSName("localhost")], None)
FORGED = {
    "no constraints": forged(other(x509.NameConstraints)),
    "constraints on names, not on addresses": forged(other(x509.NameConstraints, NARROW)),
    "constraints that permit everything": forged(other(x509.NameConstraints, WIDE)),
    "constraints that a browser may ignore": forged(
        lambda value, critical: (value, critical and not isinstance(value, x509.NameConstraints))
    ),
    "an authority for authorities": forged(
        other(x509.BasicConstraints, x509.BasicConstraints(ca=True, path_length=None))
    ),
    "a key for anything": forged(other(x509.KeyUsage)),
    "programs, not web servers": forged(other(x509.ExtendedKeyUsage, CODE, critical=False)),
    "a hundred years": forged(days=36500),
    "the names of somebody else": crypto.new_authority(
        certificate.Wanted("ec", 256, certificate.names_for(["bank.example"]), 90, 30), NOW
    ),
    "past": crypto.new_authority(WANTED, NOW - timedelta(days=200)),
}


@pytest.mark.parametrize("why", FORGED)
def test_an_authority_that_could_vouch_for_anything_else_is_refused(why):
    with pytest.raises(NotebookError, match="is not what was asked for"):
        crypto.trusted_authority(chain(FORGED[why]), NAMES, NOW)


def test_a_certificate_that_the_authority_did_not_sign_is_refused():
    mixed = chain().partition(b"-----END CERTIFICATE-----\n")
    another = crypto.new_authority(WANTED, NOW).certificate
    with pytest.raises(NotebookError, match="it did not sign itself and the certificate"):
        crypto.trusted_authority(b"".join(mixed[:2]) + another, NAMES, NOW)


@pytest.mark.parametrize("sent", [b"", b"hello", chain() + chain(), b"\x1b]0;x\x07"])
def test_what_is_no_pair_of_certificates_is_refused(sent):
    with pytest.raises(NotebookError, match="is not what was asked for"):
        crypto.trusted_authority(sent, NAMES, NOW)


def test_what_the_module_makes_is_accepted_and_rewritten():
    sent = chain()
    kept = crypto.trusted_authority(b"# words\n" + sent + b"# words\n", NAMES, NOW)
    assert kept == crypto.authority_of(sent)


def keep(directory, sent, **options):
    given = {"chain": sent.decode(), "names": ["dev1.example.org"]}
    task = {"hpcc.notebook.trust_authority": given}
    return run_task(directory, task, {"XDG_DATA_HOME": str(directory / "data")}, **options)


def test_it_is_kept_on_this_computer_and_the_commands_name_the_file(tmp_path):
    sent = chain()
    path = tmp_path / "data" / "hpcc.notebook" / "localhost-nbserver.crt"
    checked = keep(tmp_path, sent, check=True)
    assert (checked["changed"], path.exists()) == (True, False)
    first, second = keep(tmp_path, sent), keep(tmp_path, sent)
    assert (first["changed"], second["changed"], first["path"]) == (True, False, str(path))
    assert path.read_bytes() == crypto.authority_of(sent)
    assert path.stat().st_mode & 0o777 == 0o600
    for where in trust.COMMANDS:
        for line in trust.typed(where, str(path)):
            assert line in first["stdout"]
    assert "certutil" not in second["stdout"]


def test_a_node_that_sends_another_authority_changes_nothing_here(tmp_path):
    keep(tmp_path, chain())
    path = tmp_path / "data" / "hpcc.notebook" / "localhost-nbserver.crt"
    before = path.read_bytes()
    with pytest.raises(TaskFailed, match="it is not constrained to the names of the notebook"):
        keep(tmp_path, chain(FORGED["no constraints"]))
    assert path.read_bytes() == before


def test_the_document_shows_the_same_commands():
    text = DOCUMENT.read_text(encoding="utf-8")
    for where, typed in trust.COMMANDS.items():
        assert f"**{where}**" in text
        for line in typed:
            assert line in text, line

"""The module notebook_certificate, with real files and verified with openssl and Python's ssl."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import certificate, crypto
from ansible_collections.hpcc.notebook.plugins.modules import notebook_certificate
from modules import ModuleFailed, four_beats, run_module


@pytest.fixture(autouse=True)
def security(tmp_path, monkeypatch):
    """Where the pair lies in the home directory of a new account."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".ipython" / "profile_nbserver" / "security"


def openssl(*arguments: object) -> str:
    """Ask somebody else's tool."""
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def replace_pair(security, *, now, key_type="ec", key_size=256, names=(), days=365):
    """Put another pair of ours into the place of the present one."""
    names = certificate.names_for(names)
    wanted = certificate.Wanted(key_type, key_size, names, days, 30)
    key = crypto.new_key(key_type, key_size)
    files.write_private(str(security / "notebook.key"), key)
    pem = crypto.new_certificate(key, wanted, "a test", now)
    files.write_private(str(security / "notebook.crt"), pem)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize(
    "options",
    [{}, {"key_type": "rsa", "key_size": 2048}, {"key_size": 384, "names": ["lab.example.org"]}],
)
def test_four_beats(options):
    first = four_beats(notebook_certificate, **options)[1]
    assert first["reason"] == "notebook.key: missing"
    assert first["days_left"] == 365


def test_a_check_run_changes_nothing_on_the_disk(tmp_path):
    run_module(notebook_certificate, check=True)
    assert list(tmp_path.iterdir()) == []


def test_deciding_on_a_new_account_needs_no_cryptography(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert run_module(notebook_certificate, check=True)["changed"]
    with pytest.raises(ModuleFailed, match=r"cannot be imported .*Add cryptography>=44"):
        run_module(notebook_certificate)


def test_a_library_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr("cryptography.__version__", "3.4.8")
    with pytest.raises(ModuleFailed, match=r"is too old \(3\.4\.8\)\. Add cryptography>=44"):
        run_module(notebook_certificate)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_openssl_finds_what_browsers_want(security):
    result = run_module(notebook_certificate, names=["Lab.example.org", "10.0.0.7"])
    crt = security / "notebook.crt"
    text = openssl("x509", "-in", crt, "-noout", "-text")
    for line in (
        "NIST CURVE: P-256",
        "Signature Algorithm: ecdsa-with-SHA256",
        "DNS:lab.example.org, DNS:localhost, IP Address:10.0.0.7, IP Address:127.0.0.1, "
        "IP Address:0:0:0:0:0:0:0:1",
        "CA:FALSE",
        "TLS Web Server Authentication",
        "Digital Signature",
    ):
        assert line in text
    shown = openssl("x509", "-in", crt, "-noout", "-fingerprint", "-sha256")
    assert shown.strip().endswith(result["fingerprint"])
    public_key = openssl("pkey", "-in", security / "notebook.key", "-pubout")
    assert public_key == openssl("x509", "-in", crt, "-noout", "-pubkey")
    for name in ("-verify_hostname", "localhost"), ("-verify_ip", "127.0.0.1"):
        verified = openssl(
            "verify", "-x509_strict", "-purpose", "sslserver", *name, "-CAfile", crt, crt
        )
        assert verified.strip().endswith("OK")


@pytest.mark.fault("74 good keys")
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_strict_tls_client_trusts_it_and_no_other_name(security, kind):
    run_module(notebook_certificate, key_type=kind)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(security / "notebook.crt", security / "notebook.key")
    client = ssl.create_default_context(cafile=str(security / "notebook.crt"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("localhost", "127.0.0.1", "::1"):
        assert shake_hands(server, client, name).startswith("TLSv1.3")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'evil\.example'"):
        shake_hands(server, client, "evil.example")


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str:
    """Let the two talk in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    mine = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _each in range(4):
        for side in (mine, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return str(mine.version())


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_both_are_private_whatever_the_umask(security, umask):
    previous = os.umask(umask)
    try:
        run_module(notebook_certificate)
    finally:
        os.umask(previous)
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in security.iterdir()}
    assert modes == {"notebook.key": 0o600, "notebook.crt": 0o600}
    assert stat.S_IMODE(security.lstat().st_mode) == 0o700


@pytest.mark.fault("F66 renewed")
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda d: (d / "notebook.crt").unlink(), "notebook.crt: missing"),
        (lambda d: (d / "notebook.key").chmod(0o644), "notebook.key: mode 0644"),
        (lambda d: (d / "notebook.key").write_text("garbage"), "the key is unreadable"),
        (lambda d: (d / "notebook.key").write_text(""), "the key is unreadable"),
        (lambda d: (d / "notebook.crt").write_text("garbage"), "the certificate is unreadable"),
        (
            lambda d: (d / "notebook.key").write_bytes(crypto.new_key("ec", 256)),
            "key and certificate do not belong together",
        ),
        (lambda d: replace_pair(d, now=now(), key_type="rsa", key_size=2048), "not ec 256"),
        (
            lambda d: replace_pair(d, now=now(), names=["x.org"]),
            "the names are DNS:localhost, DNS:x",
        ),
        (lambda d: replace_pair(d, now=now(), days=3650), "it is valid for longer than 365 days"),
        (lambda d: replace_pair(d, now=now() - timedelta(days=400)), "it has expired"),
        (
            lambda d: replace_pair(d, now=now() - timedelta(days=353) + timedelta(minutes=5)),
            "it expires in 12 days",
        ),
        (lambda d: replace_pair(d, now=now() + timedelta(days=2)), "it is not valid before"),
    ],
)
def test_each_damage_is_named_and_healed_once(security, damage, reason):
    before = run_module(notebook_certificate)["fingerprint"]
    damage(security)
    healed = run_module(notebook_certificate)
    assert reason in healed["reason"]
    assert healed["fingerprint"] != before
    assert not run_module(notebook_certificate)["changed"]


@pytest.mark.fault("F67 of the recipe")
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_the_pair_of_the_recipe_of_2014_is_replaced(security):
    run_module(notebook_certificate)
    key, crt = security / "notebook.key", security / "notebook.crt"
    openssl("req", "-x509", "-nodes", "-days", "365", "-newkey", "rsa:1024", "-subj", "/CN=x",
            "-keyout", key, "-out", crt)  # fmt: skip
    assert "the key is rsa 1024, not ec 256" in run_module(notebook_certificate)["reason"]


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_a_good_key_with_an_old_signature_is_replaced(security):
    run_module(notebook_certificate)
    key, crt = security / "notebook.key", security / "notebook.crt"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
    openssl("req", "-x509", "-sha1", "-days", "365", "-key", key, "-subj", "/CN=localhost",
            "-addext", names, "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", "extendedKeyUsage=serverAuth", "-out", crt)  # fmt: skip
    healed = run_module(notebook_certificate)
    assert healed["reason"] == "it is signed by sha1, which browsers refuse"
    assert "ecdsa-with-SHA256" in openssl("x509", "-in", crt, "-noout", "-text")


def test_it_is_left_alone_until_the_days_of_renewal(security):
    run_module(notebook_certificate)
    replace_pair(security, now=now() - timedelta(days=334))
    assert not run_module(notebook_certificate)["changed"]
    assert run_module(notebook_certificate, renew_days=40)["changed"]


@pytest.mark.fault("F32 clock")
def test_it_is_valid_where_the_clock_is_nearly_an_hour_behind():
    wanted = certificate.Wanted("ec", 256, certificate.names_for([]), 365, 30)
    key = crypto.new_key("ec", 256)
    found = crypto.inspect(key, crypto.new_certificate(key, wanted, "a test", now()))
    assert certificate.why_renew(found, wanted, now() - timedelta(minutes=59)) is None


def test_an_interruption_between_both_files_heals(security, monkeypatch):
    run_module(notebook_certificate)
    (security / "notebook.crt").chmod(0o640)
    replace, calls = Path.replace, []

    def killed_before_the_second(self, target):
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed_before_the_second)
    with pytest.raises(KeyboardInterrupt):
        run_module(notebook_certificate)
    monkeypatch.setattr(Path, "replace", replace)
    (security / "notebook.crt").chmod(0o600)
    assert "do not belong together" in run_module(notebook_certificate)["reason"]


@pytest.mark.threat(5)
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_another_user_never_gets_to_read_the_key_while_it_is_made(tmp_path, security):
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_uid == 0 and directory != directory.parent:
            directory.chmod(directory.stat().st_mode | 0o011)
    reader = os.pipe()
    security.mkdir(parents=True)
    (security / "notebook.key").write_text("open to all")
    for path in (*security.parents[:2], security):
        path.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        race(security / "notebook.key", reader[1])
    os.close(reader[1])
    assert os.read(reader[0], 11) == b"open to all"  # it reads what it can
    shutil.rmtree(security.parents[1])
    previous = os.umask(0)
    try:
        for _each in range(30):
            run_module(notebook_certificate)
            run_module(notebook_certificate, state="absent")
    finally:
        os.umask(previous)
        os.kill(child, 15)
        os.waitpid(child, 0)
    stolen = os.read(reader[0], 1 << 16).replace(b"open to all", b"")
    assert stolen.strip(b".") == b""
    assert b"." in stolen  # it was at work


def race(key, report: int) -> None:
    """Try to open the key again and again, until the end."""
    tries = 0
    while True:
        tries += 1
        try:
            os.write(report, key.read_bytes())
        except OSError:
            if tries % 2000 == 0:
                os.write(report, b".")


def test_the_key_is_in_no_result(security):
    result = run_module(notebook_certificate)
    secret = (security / "notebook.key").read_text().splitlines()[1]
    assert secret not in str(result)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"days": 0}, "days: must be a whole number from 1 to 397"),
        ({"days": -5}, "days: must be"),
        ({"days": 398}, "days: must be"),
        ({"days": 826}, "days: must be"),
        ({"days": "abc"}, "days"),
        ({"days": 20}, "renew_days (30) must be less than days (20)"),
        ({"key_type": "dsa"}, "key_type must be one of: ec, rsa"),
        ({"key_type": "ed25519"}, "key_type must be one of: ec, rsa"),
        ({"key_type": "rsa", "key_size": 1024}, "key_size must be 2048 or 3072 or 4096"),
        ({"key_type": "rsa", "key_size": 2047}, "key_size must be"),
        ({"key_size": 192}, "key_size must be 256 or 384"),
        ({"names": ["DNS:127.0.0.1"]}, "names: item"),
        ({"names": ["IP:localhost"]}, "names: item"),
        ({"names": ["localhost\0evil"]}, "names: item"),
        ({"names": ["a,DNS:evil.com"]}, "names: item"),
        ({"names": ["a\nb"]}, "names: item"),
        ({"profile": "../x"}, "profile: must be a name"),
    ],
)
def test_bad_input_is_refused_before_any_change(tmp_path, option, message):
    with pytest.raises(ModuleFailed) as failure:
        run_module(notebook_certificate, **option)
    assert message in str(failure.value)
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_in_the_place_of_the_directory_is_refused(tmp_path, security):
    security.parent.mkdir(parents=True, mode=0o700)
    security.symlink_to(tmp_path)
    with pytest.raises(ModuleFailed, match=r"security: is a symbolic link\. Replace it"):
        run_module(notebook_certificate)


def test_four_beats_of_removal(security):
    run_module(notebook_certificate)
    four_beats(notebook_certificate, state="absent")
    assert list(security.iterdir()) == []

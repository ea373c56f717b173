"""An authority that stays: on whose computer its key is, what it signs, and who believes it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._options import notebook_certificate
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    certificate,
    certificate_resource,
    crypto,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust import (
    browsers,
    kept_authority,
    trusting,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from https_page import CHROMIUM, FIREFOX, accepted_by_firefox, served, visit
from one_task import TaskFailed, run_task

HERE = {"ansible_python_interpreter": sys.executable}
NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = certificate.names_for([])
WANTED = certificate.Wanted("ec", 256, NAMES, 365, 30, authority=True)


@pytest.fixture
def computer(tmp_path, monkeypatch):
    """Of a person: a home directory in which nothing is."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "home").mkdir()
    return tmp_path


def made(computer, check=False, data="data", **options):
    """The module's own action: the node is this machine, and the computer its directory `data`."""
    given = {"authority_kept": True, **options}
    task = {"hpcc.notebook.notebook_certificate": given, "vars": HERE}
    return run_task(computer, task, {"XDG_DATA_HOME": str(computer / data)}, check=check)


def security(computer):
    return computer / "home" / ".ipython" / "profile_nbserver" / "security"


def verified(computer, data="data"):
    """Whether openssl finds the certificate signed by the authority of that computer."""
    authority = computer / data / "hpcc.notebook" / "authority.pem"
    command = ["openssl", "verify", "-CAfile", authority, security(computer) / "notebook.crt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def private_keys(directory):
    files = (path for path in directory.rglob("*") if path.is_file())
    return sorted(path.name for path in files if b"PRIVATE KEY" in path.read_bytes())


@pytest.mark.threat(21)
def test_four_beats_and_the_key_of_the_authority_is_on_the_computer_only(computer):
    beats = [made(computer, check=check) for check in (True, False, True, False)]
    assert [beat["changed"] for beat in beats] == [True, True, False, False]
    assert beats[0]["diff"] == beats[1]["diff"]
    assert verified(computer)
    assert private_keys(computer / "home") == ["notebook.key"]
    kept = computer / "data" / "hpcc.notebook" / "authority.pem"
    assert private_keys(computer / "data") == [kept.name]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "nbserver_trust=true" in beats[1]["stdout"]
    assert "nbserver_trust=true" not in beats[0]["stdout"] + beats[3]["stdout"]
    assert "request" not in beats[1]
    assert beats[1]["fingerprint"] == beats[3]["fingerprint"]


def test_a_check_run_makes_no_authority(computer):
    assert made(computer, check=True)["changed"]
    assert not (computer / "data").exists()


def test_a_renewal_keeps_the_authority_and_replaces_the_key(computer):
    first = made(computer)
    before = (security(computer) / "authority.crt").read_bytes()
    key = (security(computer) / "notebook.key").read_bytes()
    second = made(computer, renew_days=395, days=396)
    assert "expires in" in second["reason"]
    assert second["fingerprint"] != first["fingerprint"]
    assert (security(computer) / "authority.crt").read_bytes() == before
    assert (security(computer) / "notebook.key").read_bytes() != key
    assert verified(computer)


def test_openssl_sees_that_it_can_vouch_for_these_names_only(computer):
    made(computer, names=["dev1.example.org"])
    [path] = (computer / "data" / "hpcc.notebook").glob("authority-*.pem")
    command = ["openssl", "x509", "-in", path, "-noout", "-text"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "CA:TRUE, pathlen:0" in text
    permitted = text.partition("X509v3 Name Constraints: critical")[2].split("X509v3")[0].split()
    assert permitted[:3] == ["Permitted:", "DNS:dev1.example.org", "DNS:localhost"]
    assert len(permitted) == 5


@pytest.mark.parametrize("before", [{"authority_kept": False}, {"authority": True}])
def test_the_wish_changes_the_pair_once_there_and_once_back(computer, before):
    made(computer, **{"authority_kept": False, **before})
    assert "signed" in made(computer)["reason"]
    assert not made(computer)["changed"]
    assert made(computer, **{"authority_kept": False, **before})["changed"]
    assert not made(computer, **{"authority_kept": False, **before})["changed"]


def test_another_computer_signs_with_its_own_and_says_why(computer):
    made(computer)
    assert "another authority" in made(computer, data="desktop")["reason"]
    assert verified(computer, "desktop")
    assert not verified(computer)


def test_an_authority_that_others_could_read_is_replaced(computer):
    made(computer)
    kept = computer / "data" / "hpcc.notebook" / "authority.pem"
    before = kept.read_bytes()
    kept.chmod(0o644)
    assert "another authority" in made(computer)["reason"]
    assert kept.read_bytes() != before
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_role_prepares_a_profile_with_it(computer):
    """The whole of a profile by one task, as setup does: password and certificate."""
    given = {"authority_kept": True, "password": "a walk along the Red Cedar", "name": "nbserver"}
    task = {"hpcc.notebook.notebook_profile": given, "vars": HERE}
    beats = [
        run_task(computer, task, {"XDG_DATA_HOME": str(computer / "data")}, check=check)
        for check in (True, False, True, False)
    ]
    assert [beat["changed"] for beat in beats] == [True, True, False, False]
    assert verified(computer)
    assert "request" not in beats[1]["certificate"]
    assert beats[1]["password"]["changed"]


def test_without_its_action_the_module_says_that_nobody_signs():
    defaults = {name: spec.get("default") for name, spec in notebook_certificate.ARGUMENTS.items()}
    with pytest.raises(NotebookError, match="names no authority"):
        certificate_resource.decide({**defaults, "authority_kept": True})


def asked(key=None, names=("www.example.com",)):
    """A request of a node that wants more than it gets."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.example.com")])
    builder = x509.CertificateSigningRequestBuilder(name)
    wishes = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
    builder = builder.add_extension(wishes, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=9), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def signer(wanted=WANTED):
    found = crypto.kept_issuer(crypto.kept_authority(wanted, NOW), wanted, NOW)
    assert isinstance(found, crypto.Issuer)
    return found


@pytest.mark.threat(21)
def test_a_node_gets_a_certificate_for_its_names_whatever_it_asks_for():
    chain = crypto.sign_request(signer(), asked(), WANTED, NOW)
    server = x509.load_pem_x509_certificates(chain)[0]
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {*names.get_values_for_type(x509.DNSName)} == {"localhost"}
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert b"example.com" not in server.subject.public_bytes()
    assert server.not_valid_after_utc - NOW == timedelta(days=365)


def test_what_is_no_request_for_such_a_key_is_not_signed():
    proof = bytearray(x509.load_pem_x509_csr(asked()).public_bytes(serialization.Encoding.DER))
    proof[-1] ^= 1  # of somebody who does not have the key
    bent = x509.load_der_x509_csr(bytes(proof)).public_bytes(serialization.Encoding.PEM)
    other = asked(ec.generate_private_key(ec.SECP521R1()))
    for request in (bent, other, b"", b"\x1b]0;x\x07", asked()[:-60]):
        with pytest.raises(NotebookError, match="what the node wants to have signed"):
            crypto.sign_request(signer(), request, WANTED, NOW)


@pytest.mark.parametrize(
    ("wanted", "later", "reason"),
    [
        (certificate.Wanted("ec", 256, certificate.names_for(["a.b"]), 365, 30), 0, "constrained"),
        (WANTED, 3600, "expires before"),
        (WANTED, -2, "not valid yet"),
    ],
)
def test_a_kept_file_that_cannot_sign_what_is_wanted_is_not_used(wanted, later, reason):
    pair = crypto.kept_authority(WANTED, NOW)
    assert reason in crypto.kept_issuer(pair, wanted, NOW + timedelta(days=later))
    another = crypto.kept_authority(WANTED, NOW)
    mixed = pair[: pair.index(b"-----BEGIN CERT")] + another[another.index(b"-----BEGIN CERT") :]
    assert "belong together" in crypto.kept_issuer(mixed, WANTED, NOW)
    assert "cannot be read" in crypto.kept_issuer(pair[:-30], WANTED, NOW)


@pytest.mark.usefixtures("computer")
def test_two_runs_at_once_make_one_authority():
    program = (
        "from datetime import datetime, UTC\n"
        "from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust import kept_authority\n"
        "from ansible_collections.hpcc.notebook.plugins.module_utils._profile import certificate\n"
        "w = certificate.Wanted('ec', 256, certificate.names_for([]), 365, 30)\n"
        "print(kept_authority.kept(w, datetime.now(UTC)).issuer.certificate.decode())\n"
    )
    python = [sys.executable, "-c", program]
    where = Path(__file__).parents[2] / "playbooks" / "collections"
    runs = [subprocess.Popen(python, cwd=where, stdout=subprocess.PIPE) for _run in range(4)]
    assert len({run.communicate()[0] for run in runs}) == 1
    assert all(run.returncode == 0 for run in runs)


def database(path):
    """As a browser makes one, with an authority of somebody else in it."""
    path.mkdir(parents=True)
    subprocess.run(["certutil", "-N", "-d", f"sql:{path}", "--empty-password"], check=True)
    other = path / "other.crt"
    other.write_bytes(signer().certificate)
    add = ["certutil", "-A", "-d", f"sql:{path}", "-t", "C,,", "-n", "My Company", "-i", other]
    subprocess.run(add, check=True)
    return path


def listed(path):
    command = ["certutil", "-L", "-d", f"sql:{path}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {" ".join(line.split()[:-1]): line.split()[-1] for line in said.splitlines()[4:] if line}


def shown(chain):
    return trusting.Shown(chain.decode(), [crypto.print_of(chain)], [])


def kept_chain():
    issuer = kept_authority.kept(WANTED, NOW).issuer
    return crypto.sign_request(issuer, asked(), WANTED, NOW)


def test_every_browser_that_is_found_is_told_and_told_back(computer):
    home = computer / "home"
    places = [
        home / ".pki" / "nssdb",
        home / ".mozilla" / "firefox" / "ab12.default-release",
        home / "snap/firefox/common/.mozilla/firefox/x.default",
    ]
    for place in places:
        database(place)
    path = kept_authority.place_of_host("dev1", "nbserver")
    first = trusting.given(shown(kept_chain()), path)
    again = trusting.given(shown(kept_chain()), path)
    assert (first.changed, again.changed) == (True, False)
    for place in places:
        assert [*listed(place).values()] == ["C,,", "C,,"]
        assert "My Company" in listed(place)
    assert trusting.taken_back().changed
    assert not trusting.taken_back().changed
    assert [listed(place) for place in places] == [{"My Company": "C,,"}] * 3


def test_trust_is_taken_back_although_no_server_can_be_reached(computer):
    place = database(computer / "home" / ".pki" / "nssdb")
    trusting.given(shown(kept_chain()), kept_authority.place_of_host("dev1", "nbserver"))
    assert len(listed(place)) == 2
    there = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-F none"}
    task = {"hpcc.notebook.connect": {"trust": False}, "vars": there}
    with pytest.raises(TaskFailed, match="cannot be reached"):
        run_task(computer, task, {}, check=True, connection="ssh")
    assert len(listed(place)) == 2, "a check run tells nobody"
    with pytest.raises(TaskFailed, match="cannot be reached"):
        run_task(computer, task, {}, connection="ssh")
    assert [*listed(place)] == ["My Company"]


def test_a_browser_that_never_ran_is_told_too(computer):
    trusting.given(shown(kept_chain()), kept_authority.place_of_host("dev1", "nbserver"))
    assert len(listed(computer / "home" / ".pki" / "nssdb")) == 1


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here")
@pytest.mark.timeout(400)
def test_chromium_is_told_once_and_warns_again_when_that_is_taken_back(computer):
    path = kept_authority.place_of_host("dev1", "nbserver")
    made(computer)
    with served(security(computer)) as port:
        assert "ERR_CERT_AUTHORITY_INVALID" in visit(port)
    assert trusting.given(shown(chain_of(computer)), path).changed
    with served(security(computer)) as port:
        assert visit(port) == "200"
    assert made(computer, renew_days=395, days=396)["changed"]
    with served(security(computer)) as port:
        assert visit(port) == "200", "another certificate, and nobody was told anything"
    assert trusting.taken_back().changed
    with served(security(computer)) as port:
        assert "ERR_CERT_AUTHORITY_INVALID" in visit(port)


@pytest.mark.skipif(not Path(FIREFOX).exists(), reason="no Firefox here")
@pytest.mark.timeout(400)
def test_firefox_is_told_once_and_warns_again_when_that_is_taken_back(computer):
    profile = computer / "home" / ".mozilla" / "firefox" / "ab12.default-release"
    profile.mkdir(parents=True)
    path = kept_authority.place_of_host("dev1", "nbserver")
    made(computer)
    with served(security(computer)) as port:
        assert not accepted_by_firefox(port, profile), "and now it has a database"
        assert trusting.given(shown(chain_of(computer)), path).changed
        assert accepted_by_firefox(port, profile)
        assert trusting.taken_back().changed
        assert not accepted_by_firefox(port, profile)


def chain_of(computer):
    return (security(computer) / "notebook.crt").read_bytes()


def refused(chain):
    with pytest.raises(NotebookError) as said:
        trusting.given(shown(chain), kept_authority.place_of_host("dev1", "nbserver"))
    assert not browsers.forget(browsers.found()), "nobody was told"
    return str(said.value)


@pytest.mark.threat(21)
@pytest.mark.usefixtures("computer")
def test_a_node_cannot_have_its_own_authority_of_ten_years_trusted():
    kept_chain()  # this computer has one, which is another
    assert "valid for too long" in refused(crypto.sign_request(signer(), asked(), WANTED, NOW))
    wide = certificate.Wanted("ec", 256, certificate.names_for(["bank.example"]), 90, 30)
    made = crypto.new_certificate(
        crypto.new_key("ec", 256), replace(wide, authority=True), "x", NOW
    )
    assert "not constrained" in refused(made)


def test_what_the_server_did_not_show_is_not_trusted(computer):
    with pytest.raises(NotebookError, match="is not the one in the profile"):
        trusting.given(trusting.Shown(kept_chain().decode(), ["AA:BB"], []), computer / "x.crt")


@pytest.mark.usefixtures("computer")
def test_a_self_signed_certificate_is_nothing_to_trust():
    alone = certificate.Wanted("ec", 256, NAMES, 365, 30)
    made = crypto.new_certificate(crypto.new_key("ec", 256), alone, "x", NOW)
    assert "nbserver_profile_authority_kept=true" in refused(made)


def test_a_missing_certutil_is_named_with_its_package(computer, monkeypatch):
    database(computer / "home" / ".pki" / "nssdb")
    chain = kept_chain()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotebookError, match="libnss3-tools"):
        trusting.given(shown(chain), kept_authority.place_of_host("dev1", "nbserver"))


def test_the_wish_is_checked_before_anything_is_asked(tmp_path):
    nobody = {"ansible_host": "127.0.0.1", "ansible_port": 1}
    task = {"hpcc.notebook.connect": {"trust": "perhaps"}, "vars": nobody}
    with pytest.raises(TaskFailed, match="trust: must be true, false or untouched"):
        run_task(tmp_path, task, {})

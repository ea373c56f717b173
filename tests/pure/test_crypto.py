"""Hashes and certificates, compared with the libraries that read them later."""

from __future__ import annotations

from datetime import UTC, datetime

import argon2
import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    certificate,
    crypto,
    password,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

CHEAP = password.Cost(64, 1, 2)
NOW = datetime(2026, 7, 18, tzinfo=UTC)


@settings(deadline=None, max_examples=30)
@given(text=st.text(min_size=1))
def test_argon2_itself_accepts_what_was_hashed_and_nothing_else(text):
    hashed = crypto.hash_password(text, CHEAP)
    theirs = argon2.PasswordHasher()
    assert theirs.verify(hashed.removeprefix("argon2:"), text)
    assert crypto.verify_password(password.parse(hashed), text)
    assert not crypto.verify_password(password.parse(hashed), f"{text}.")


@pytest.mark.threat(10)
def test_each_hash_has_a_salt_of_its_own_and_the_cost_that_we_promise():
    first, second = crypto.hash_password("x"), crypto.hash_password("x")
    assert first != second
    assert "$m=65536,t=3,p=4$" in first


@pytest.mark.parametrize(("kind", "size"), [("ec", 256), ("ec", 384), ("rsa", 2048)])
def test_a_new_pair_is_found_to_be_what_was_wanted(kind, size):
    wanted = certificate.Wanted(kind, size, certificate.names_for(["10.0.0.7", "x.org"]), 90, 30)
    key = crypto.new_key(kind, size)
    found = crypto.inspect(key, crypto.new_certificate(key, wanted, "a test", NOW))
    assert certificate.why_renew(found, wanted, NOW) is None


def test_two_certificates_of_one_moment_differ_in_their_serial_number():
    wanted = certificate.Wanted("ec", 256, certificate.names_for([]), 90, 30)
    key = crypto.new_key("ec", 256)
    both = {
        crypto.inspect(key, crypto.new_certificate(key, wanted, "x", NOW)).fingerprint
        for _each in "ab"
    }
    assert len(both) == 2


def test_a_key_behind_a_password_and_one_of_another_kind_are_told():
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = ed25519.Ed25519PrivateKey.generate()
    locked = key.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"secret"))
    assert crypto.inspect(locked, b"") == "the key is unreadable"
    wanted = certificate.Wanted("ec", 256, certificate.names_for([]), 90, 30)
    ours = crypto.new_key("ec", 256)
    crt = crypto.new_certificate(ours, wanted, "x", NOW)
    found = crypto.inspect(key.private_bytes(pem, pkcs8, serialization.NoEncryption()), crt)
    assert "do not belong together" in str(certificate.why_renew(found, wanted, NOW))


def test_an_openssl_without_argon2id_is_named(monkeypatch):
    def unsupported(**_options):
        raise RuntimeError("not in FIPS mode")

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id", unsupported)
    with pytest.raises(NotebookError, match=r"cannot compute argon2id \(not in FIPS mode\)"):
        crypto.hash_password("x")

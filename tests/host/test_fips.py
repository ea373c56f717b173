"""A host whose OpenSSL allows only what a FIPS provider offers, as one setting makes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
# No FIPS provider is installed here, so even more is forbidden than on such a host.
ONLY_FIPS = """
openssl_conf = all
[all]
alg_section = algorithms
[algorithms]
default_properties = fips=yes
"""
PROGRAM = """
import sys
sys.path[:0] = [{here!r}, {collections!r}]
from ansible_collections.hpcc.notebook.plugins.modules import {module} as module
from modules import ModuleFailed, run_module
import json
from cryptography.hazmat.backends.openssl.backend import backend
assert backend._fips_enabled
try:
    print(json.dumps(run_module(module, **json.load(sys.stdin))))
except ModuleFailed as failed:
    print(json.dumps(failed.result))
"""
SALT_AND_DIGEST = "c2FsdHNhbHRzYWx0c2Fs$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaA"
HASH = f"argon2:$argon2id$v=19$m=19456,t=2,p=1${SALT_AND_DIGEST}"


@pytest.fixture
def run(tmp_path):
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text(ONLY_FIPS)

    def run(module, **params):
        collections = str(SUPPORT.parents[1] / "playbooks" / "collections")
        program = PROGRAM.format(here=str(SUPPORT), collections=collections, module=module)
        done = subprocess.run(
            [sys.executable, "-c", program], input=json.dumps(params), text=True,
            env={**os.environ, "HOME": str(tmp_path), "OPENSSL_CONF": str(configuration)},
            capture_output=True, check=False, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.fault("F58 FIPS, password")
def test_a_password_that_cannot_be_hashed_is_told_with_the_way_around(run):
    said = run("notebook_password", password="a walk along the Red Cedar")
    assert said["failed"]
    assert "cannot compute argon2id" in said["msg"]
    assert "set nbserver_profile_password_hash" in said["msg"]
    assert "\n" not in said["msg"]


def test_a_hash_that_was_made_elsewhere_is_taken(run):
    assert run("notebook_password", password_hash=HASH)["changed"]
    assert not run("notebook_password", password_hash=HASH)["changed"]


@pytest.mark.fault("F58 FIPS, certificate")
def test_a_key_that_cannot_be_made_is_told_in_one_line(run):
    said = run("notebook_certificate")
    assert "cannot make a key" in said["msg"]
    assert "OPENSSL_CONF" in said["msg"]
    assert "\n" not in said["msg"]

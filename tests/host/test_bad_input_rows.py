"""Bad values of the server's variables, on the command line: each ends setup before it begins.

As many at once as there are variables, since all that is wrong is told at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.module_utils._validation.variables import Variables

CHECKOUT = Path(__file__).parents[2]
ROLE = CHECKOUT / "roles" / "nbserver_profile"
GOOD = "a walk along the Red Cedar"
SALT_AND_DIGEST = "c2FsdHNhbHRzYWx0c2Fs$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaA"


def argon2(kind: str, cost: str) -> str:
    return f"argon2:${kind}$v=19${cost}${SALT_AND_DIGEST}"


ROWS = [
    {
        "password": "",
        "certificate_days": 0,
        "key_type": "dsa",
        "certificate_names": ["DNS:127.0.0.1"],
        "root_dir": "/",
        "options": {"ServerApp.allow_origin": "*"},
    },
    {
        "password": "elevenchars",
        "certificate_days": -5,
        "key_type": "rsa:1024",
        "certificate_names": ["IP:localhost"],
        "root_dir": "/tmp",
        "options": {"ServerApp.disable_check_xsrf": True},
    },
    {
        "password": "password1234",
        "certificate_days": 398,
        "key_type": "secp192r1",
        "certificate_names": ["localhost\0evil"],
        "root_dir": "/home/u/it's\n",
        "options": {"IdentityProvider.token": ""},
    },
    {
        "password": "alice-of-the-lab",  # the login name
        "certificate_days": 826,
        "key_type": "ed25519",
        "certificate_names": ["a,DNS:evil.com"],
        "options": {"ServerApp.allow_root": True},
    },
    {
        "password": "the-profile-itself",
        "certificate_days": 1e9,
        "certificate_names": ["a\nb"],
        "options": {"__import__('os')": 1},
    },
    {"password": f"{GOOD}\n", "certificate_days": "abc", "options": {"a b": 1}},
    {
        "password_hash": "sha1:0123456789ab:da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "key_size": 2047,
        "options": {"c.x": 1},
    },
    {"password_hash": argon2("argon2id", "m=8,t=1,p=1")},
    {"password_hash": argon2("argon2i", "m=19456,t=2,p=1")},
    {"password_hash": argon2("argon2d", "m=19456,t=2,p=1")},
    {"password_hash": argon2("argon2id", "m=4194304,t=2,p=1")},
]
EVERYWHERE = {
    "ansible_user": "alice-of-the-lab",
    "anaconda_distribution": "miniforge",
    "nbserver_profile_name": "the-profile-itself",
}


def variables(given: dict[str, object]) -> dict[str, object]:
    return {f"nbserver_profile_{name}": value for name, value in given.items()}


@pytest.mark.fault(
    "58",
    "59",
    "65",
    "67",
    "68",
    "70",
    "71",
    "73",
    "76",
    "77",
    "79",
    "62 line ends",
    "80 line ends",
    "82 /tmp",
    "112 weakening",
    "113 no option",
)
@pytest.mark.parametrize("given", ROWS)
def test_a_bad_value_is_refused_by_its_name(given):
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]
    checks = yaml.safe_load((ROLE / "tasks/preflight.yml").read_text())[0]
    asked = checks["hpcc.notebook.check_variables"]
    problems = Variables(
        values={**EVERYWHERE, **variables(given)},
        specs={name: spec for part in specs.values() for name, spec in part["options"].items()},
        demands=asked["rules"],
        relations=asked["relations"],
        names=(EVERYWHERE["ansible_user"],),
    ).problems()
    assert sorted({line.split(":")[0] for line in problems}) == sorted(variables(given))
    assert SALT_AND_DIGEST not in "".join(problems)


def refused(directory: Path, playbook: str, given: dict[str, object]) -> str:
    """What a playbook prints that ends before it has reached any host."""
    (directory / "hosts.ini").write_text("[hpcc_dev]\nnowhere.invalid\n")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            str(CHECKOUT / "playbooks" / f"{playbook}.yml"),
            *("-i", "hosts.ini", "-e", json.dumps(given)),
        ],
        cwd=directory, env={**os.environ, "HOME": str(directory)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert done.returncode == 2, printed
    assert "UNREACHABLE" not in printed
    assert "Traceback" not in printed
    return printed


# One with a password and one with a hash, which exclude each other.
@pytest.mark.parametrize("given", [ROWS[0], ROWS[6]])
def test_a_bad_value_is_refused_by_its_name_before_any_host_is_reached(tmp_path, given):
    printed = refused(tmp_path, "setup", {**EVERYWHERE, **variables(given)})
    assert [name for name in variables(given) if f"{name}: " not in printed] == [], printed
    assert SALT_AND_DIGEST not in printed


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("teardown_confirmed", "teardown_confirmed: must be true or false, got 'maybe'."),
        ("anaconda_adopt", "anaconda_adopt: must be true or false, got 'maybe'."),
    ],
)
def test_teardown_refuses_a_bad_value_of_any_role_in_one_line_before_it_asks(tmp_path, name, line):
    printed = refused(tmp_path, "teardown", {name: "maybe"})
    assert line in printed
    assert "Validat" not in printed, "that would be Ansible's own check"

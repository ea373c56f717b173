"""Values that are right alone and wrong together are refused before anything is changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._validation.relations import RELATIONS

CHECKOUT = Path(__file__).parents[2]
URL, SHA256 = "https://mirror.example/x.sh", "0" * 64


@pytest.mark.parametrize(
    ("relation", "values", "reason"),
    [
        ("terms_accepted", ("anaconda", False), "needs its terms of service accepted"),
        ("terms_accepted", ("miniconda", "no"), "needs its terms of service accepted"),
        ("terms_accepted", ("anaconda", True), None),
        ("terms_accepted", ("miniforge", False), None),
        ("terms_accepted", ("anaconda", False, "present"), "needs its terms of service accepted"),
        ("terms_accepted", ("anaconda", False, "absent"), None),
        ("url_with_checksum", (URL, None), "needs the sha256"),
        ("url_with_checksum", (None, SHA256), "the sha256 needs the url"),
        ("url_with_checksum", (URL, SHA256), None),
        ("url_with_checksum", (None, None), None),
        ("password_or_hash", ("a", "b"), "cannot be set together"),
        ("job_over_socket", ("tcp", "job"), "must be socket when nbserver_where is job"),
        ("job_over_socket", ("tcp", "node"), None),
        ("job_over_socket", ("socket", "job"), None),
        ("next_of_job", (True, "node"), "needs nbserver_where=job"),
        ("next_of_job", ("true", None), "needs nbserver_where=job"),
        ("next_of_job", ("yes", "job"), None),
        ("next_of_job", (False, "node"), None),
        ("next_of_job", ("false", "node"), None),
        ("next_of_job", (None, "node"), None),
        ("password_or_hash", ("a", None), None),
        ("without_profile", ("absent", "present"), "the playbook teardown removes all"),
        ("without_profile", ("absent", None), "cannot be absent while the profile"),
        ("without_profile", ("absent", "absent"), None),
        ("without_profile", ("rolled_back", "present"), None),
        ("without_profile", (None, "present"), None),
        ("renewed_in_time", (30, 30), "must be less than 30"),
        ("renewed_in_time", ("40", 30), "must be less than 30"),
        ("renewed_in_time", (29, 30), None),
        ("key", ("ec", 2048), "must be 256 or 384"),
        ("key", ("rsa", 1024), "must be"),
        ("key", ("rsa", None), None),
        ("key", ("rsa", 2048), None),
    ],
)
def test_a_relation_gives_its_reason(relation, values, reason):
    found = RELATIONS[relation](*values)
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({}, "anaconda_distribution: Anaconda needs its terms of service accepted"),
        ({"anaconda_accept_terms": True, "anaconda_url": URL}, "anaconda_url: needs the sha256"),
        (
            {"anaconda_accept_terms": True, "nbserver_profile_key_size": 2048},
            "nbserver_profile_key_type: must be 256 or 384 for the key type ec, got 2048",
        ),
    ],
)
def test_setup_refuses_them_before_it_contacts_a_host(tmp_path, variables, line):
    """The host does not exist: reaching for it would be another error."""
    (tmp_path / "hosts.ini").write_text("[hpcc_dev]\nnowhere.invalid\n")
    environment = {**os.environ, "HOME": str(tmp_path)}
    playbook = str(CHECKOUT / "playbooks" / "setup.yml")
    ansible = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run(
        [ansible, playbook, "-i", "hosts.ini", "-e", json.dumps(variables)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert line in done.stdout + done.stderr
    assert "UNREACHABLE" not in done.stdout

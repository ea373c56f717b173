"""The doctor's playbook where something is wrong: what is printed, and how a script sees it."""

import json
import os

import pytest

from playbooks import CHECKOUT, run_ours

NOWHERE = "dev1 ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args='-F none'"


@pytest.mark.parametrize("only", ["all", "wrong"])
def test_it_ends_badly_and_shows_what_was_asked_for(tmp_path, only):
    written = tmp_path / "result.json"
    how = {
        "ANSIBLE_CALLBACK_PLUGINS": str(CHECKOUT / "tests" / "unit" / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "write_result",
        "WRITE_RESULT_TO": str(written),
        "SSH_AUTH_SOCK": os.devnull,
    }
    done = run_ours(tmp_path, "doctor", NOWHERE, "-e", f"nbserver_doctor_only={only}", shell=how)
    assert done.code == 2
    assert "\nwrong    login: " in done.output
    assert ("\nok       " in done.output) == (only == "all")
    assert ("\nwarning  " in done.output) == (only == "all")
    levels = {finding["level"] for finding in json.loads(written.read_text())["findings"]}
    assert levels == {"ok", "warning", "wrong"}, "the result has all of it either way"


def test_another_word_is_refused(tmp_path):
    done = run_ours(tmp_path, "doctor", NOWHERE, "-e", "nbserver_doctor_only=bad")
    assert done.code == 2
    assert "nbserver_doctor_only" in done.output
    assert "wrong    login" not in done.output

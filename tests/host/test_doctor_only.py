"""The doctor's playbook where something is wrong: what is printed, and how a script sees it."""

import json
import os

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.summary import document

from playbooks import CHECKOUT, run_ours

NOWHERE = "dev1 ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args='-F none'"


@pytest.mark.parametrize("only", ["all", "wrong"])
def test_it_ends_badly_and_shows_what_was_asked_for(tmp_path, only):
    written = tmp_path / "result.json"
    how = {
        "ANSIBLE_CALLBACK_PLUGINS": str(CHECKOUT / "tests" / "support" / "callbacks"),
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


def test_a_program_reads_all_of_it_from_the_file_and_the_exit_code(tmp_path):
    written = tmp_path / "doctor.json"
    given = ["-e", "nbserver_doctor_only=wrong", "-e", f"nbserver_doctor_json={written}"]
    two = f"{NOWHERE}\n{NOWHERE.replace('dev1', 'dev2')}"
    done = run_ours(tmp_path, "doctor", two, *given, shell={"SSH_AUTH_SOCK": os.devnull})
    assert done.code == 2
    assert written.stat().st_mode & 0o777 == 0o600
    found = json.loads(written.read_text())
    assert found["healthy"] is False
    assert [host["host"] for host in found["hosts"]] == ["dev1", "dev2"]
    for host in found["hosts"]:
        assert (host["healthy"], host["counts"]["wrong"] > 0) == (False, True)
        assert host["message"] == "Something does not work: see the lines marked wrong."
        [login] = [check for check in host["checks"] if check["subject"] == "login"]
        assert (login["level"], login["place"]) == ("wrong", "the way there")
        assert "" not in (login["what"], login["todo"])
        assert {"this computer", "the way there"} == {check["place"] for check in host["checks"]}


def test_the_page_shows_what_such_a_file_holds():
    page = (CHECKOUT / "docs" / "doctor.md").read_text()
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    made = document({"dev1": {"findings": example["hosts"][0]["checks"], "msg": "?"}})
    assert made.keys() == example.keys()
    assert made["hosts"][0].keys() == example["hosts"][0].keys()
    assert made["hosts"][0]["checks"] == example["hosts"][0]["checks"]


@pytest.mark.parametrize("path", ["doctor.json", "/none/doctor.json"])
def test_a_file_that_cannot_be_written_is_said(tmp_path, path):
    done = run_ours(tmp_path, "doctor", NOWHERE, "-e", f"nbserver_doctor_json={path}")
    assert done.code == 2
    assert ("nbserver_doctor_json" if path == "doctor.json" else "/none") in done.output
    assert "Traceback" not in done.output


def test_another_word_is_refused(tmp_path):
    done = run_ours(tmp_path, "doctor", NOWHERE, "-e", "nbserver_doctor_only=bad")
    assert done.code == 2
    assert "nbserver_doctor_only" in done.output
    assert "wrong    login" not in done.output

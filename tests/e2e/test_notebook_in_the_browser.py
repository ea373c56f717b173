"""From nothing to a cell that ran on the cluster, by what is printed alone."""

from __future__ import annotations

import hashlib
import re
import ssl

import browser
import pytest
from terminal import Tunnel, playbook

PASSWORD = "a walk along the Red Cedar"
ASKED = r"(?i)notebook password[^:]*: ?"
ASKED_AGAIN = r"(?i)(again|repeat)[^:]*: ?"
ANSWERS = {ASKED: PASSWORD, ASKED_AGAIN: PASSWORD}


@pytest.fixture(scope="module")
def setup_output(account: str) -> str:
    assert account == "alice"
    return playbook("setup", answers=ANSWERS)


@pytest.fixture(scope="module")
def start_output(setup_output: str, local_port: int) -> str:
    assert "failed=0" in setup_output
    return playbook("start", "-e", f"nbserver_local_port={local_port}")


def printed(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    assert match, f"nothing like {pattern} in:\n{text}"
    return match[1]


def test_the_second_setup_changes_nothing(setup_output: str) -> None:
    assert "changed=0" not in setup_output
    assert "changed=0" in playbook("setup")


def test_the_printed_tunnel_leads_to_a_notebook_on_the_node(
    start_output: str, local_port: int
) -> None:
    command = printed(r"^ +(ssh .*)$", start_output)
    url = printed(r"open (https://127\.0\.0\.1:\d+)", start_output)
    fingerprint = printed(r"SHA-256 ([0-9A-F:]{95})", start_output)
    with Tunnel(command, local_port), browser.page() as page:
        served = ssl.get_server_certificate(("127.0.0.1", local_port))
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(served)).hexdigest().upper()
        assert fingerprint.replace(":", "") == digest
        browser.log_in(page, url, PASSWORD)
        browser.new_notebook(page)
        assert (
            browser.run_cell(page, "import socket; print(socket.gethostname(), 6 * 7)") == "dev1 42"
        )
        browser.add_heading(page, "Results of the day")
        assert "Results of the day" in browser.table_of_contents(page)


def test_a_second_start_reports_the_running_server(start_output: str, local_port: int) -> None:
    again = playbook("start", "-e", f"nbserver_local_port={local_port}")
    assert "changed=0" in again
    assert printed(r"^ +(ssh .*)$", again) == printed(r"^ +(ssh .*)$", start_output)


def test_stop_ends_it_and_a_second_stop_changes_nothing(start_output: str) -> None:
    assert "is running" in start_output
    assert "changed=1" in playbook("stop")
    assert "changed=0" in playbook("stop")

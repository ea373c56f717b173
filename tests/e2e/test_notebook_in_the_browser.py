"""From nothing to a cell that ran on the cluster, by what is printed alone."""

from __future__ import annotations

import hashlib
import json
import re
import ssl

import browser
import pytest
from job_sites import on
from terminal import Tunnel, playbook

pytestmark = pytest.mark.timeout(900)  # the first test installs everything
PASSWORD = "a walk along the Red Cedar"
NEW = "another-one-along-the-Grand"
WRONG = "That is not the password of this notebook."
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
        pid = json.loads(on("dev1", "cat ~/.ipython/profile_nbserver/run/*.json", user="alice"))[
            "pid"
        ]
        on("dev1", f"prlimit --pid {pid} --cpu=7200", user="alice")  # as where a site limits it
        browser.log_in(page, url, PASSWORD)
        look_at_a_notebook(browser.Lab(page))
        meters = page.locator("#hpcc-notebook-meters")
        browser.expect(meters).to_have_text(
            re.compile(r"^Memory \d+ .*MB.*CPU less than a minute of 2 h")
        )


def background(page: browser.Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_the_first_pages_say_where_one_is_and_ask_the_internet_for_nothing(
    start_output: str, local_port: int
) -> None:
    url = f"https://127.0.0.1:{local_port}"
    asked: set[str] = set()
    with Tunnel(printed(r"^ +(ssh .*)$", start_output), local_port), browser.page() as page:
        page.on("request", lambda request: asked.add(request.url))
        page.goto(url)
        assert page.title() == "Log in: dev1 (nbserver)"
        light = background(page)
        page.emulate_media(color_scheme="dark")
        assert background(page) != light
        page.fill("input[name=password]", "not this one")
        page.click("#login_submit")
        browser.expect(page.get_by_role("alert")).to_contain_text(WRONG)
        browser.log_in(page, url, PASSWORD)
        page.goto(f"{url}/lab?reset")
        kernels = page.locator("[data-category=Notebook] .jp-LauncherCard-label")
        browser.expect(kernels).to_have_text(["Python 3 (base)"], timeout=browser.PATIENCE)
        browser.expect(page).to_have_title("dev1 (nbserver)")
        page.wait_for_timeout(5000)  # the question about news came within one
        assert page.locator(".Toastify__toast").count() == 0
    local = (url, "data:", "blob:")
    assert [address for address in asked if not address.startswith(local)] == []


def look_at_a_notebook(frontend: browser.Lab) -> None:
    frontend.new_notebook()
    shown = frontend.run_cell("import socket; print(socket.gethostname(), 6 * 7)")
    assert shown == "dev1 42"
    frontend.add_heading("Results of the day")
    assert frontend.table_of_contents() == ["Results of the day"]


def test_a_second_start_reports_the_running_server(start_output: str, local_port: int) -> None:
    again = playbook("start", "-e", f"nbserver_local_port={local_port}")
    assert "changed=0" in again
    assert printed(r"^ +(ssh .*)$", again) == printed(r"^ +(ssh .*)$", start_output)


@pytest.mark.parametrize("frontend", [browser.Notebook, browser.Classic, browser.Lab])
def test_each_front_end_computes_has_a_table_of_contents_and_says_that_a_password_is_wrong(
    start_output: str, local_port: int, frontend: type[browser.Lab]
) -> None:
    options = ["-e", f"nbserver_local_port={local_port} nbserver_frontend={frontend.frontend}"]
    again = playbook("restart", *options)
    assert "changed=1" in again
    command = printed(r"^ +(ssh .*)$", again)
    assert command == printed(r"^ +(ssh .*)$", start_output)
    url = f"https://127.0.0.1:{local_port}"
    with Tunnel(command, local_port), browser.page() as page:
        refused(page, url, "not this one")
        browser.log_in(page, url, PASSWORD)
        look_at_a_notebook(frontend(page))
    with Tunnel(command, local_port), browser.page() as page:
        change_the_password(page, url, *options)


def refused(page: browser.Page, url: str, password: str) -> None:
    page.goto(f"{url}/login")
    page.fill("input[name=password]", password)
    page.click("#login_submit")
    browser.expect(page.get_by_role("alert")).to_contain_text(WRONG)


def change_the_password(page: browser.Page, url: str, *options: str) -> None:
    """The new one is taken after a restart, which the page says, and the old one is none then."""
    try:
        playbook("setup", "-e", f"nbserver_profile_password={NEW}")
        refused(page, url, NEW)
        browser.expect(page.get_by_role("alert")).to_contain_text("only after a restart")
        playbook("restart", *options)
        refused(page, url, PASSWORD)
        browser.log_in(page, url, NEW)
    finally:
        playbook("setup", "-e", json.dumps({"nbserver_profile_password": PASSWORD}))


def test_stop_ends_it_and_a_second_stop_changes_nothing(start_output: str) -> None:
    assert "is running" in start_output
    assert "changed=1" in playbook("stop")
    assert "changed=0" in playbook("stop")

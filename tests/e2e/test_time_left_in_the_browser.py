"""The end of a job in a browser whose computer sleeps, or has another clock than the node."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import browser
import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import meters, time_left
from playwright.sync_api import Page
from served_profile import Server, serving
from starts import free_port

PASSWORD = "a walk along the Red Cedar"
MINUTE, HOUR = 60, 3600


class OverTcp(Server):
    """As a browser reaches it; a job has its end in the environment."""

    def __init__(self, home: Path, left: int) -> None:
        end = time_left.announced(time.time() + left, left)
        super().__init__(home, USER="alice", **{meters.END: end})
        self.port = free_port()

    def command(self) -> list[str]:
        command = super().command()
        at = next(n for n, word in enumerate(command) if "ServerApp.sock=" in word)
        command[at : at + 2] = [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"]
        return command

    def connection(self, certificate: Path) -> http.client.HTTPConnection:
        trusted = ssl.create_default_context(cafile=str(certificate))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=trusted)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OverTcp]:
    made = OverTcp(tmp_path_factory.mktemp("job"), HOUR)
    with serving(made, PASSWORD):
        yield made


@pytest.fixture
def page(server: OverTcp) -> Iterator[Callable[[int], Page]]:
    """A page of a computer whose clock is ahead of the node's by so many seconds."""
    with browser.page() as made:

        def opened(ahead: int) -> Page:
            made.clock.install(time=time.time() + ahead)
            browser.log_in(made, f"https://127.0.0.1:{server.port}", PASSWORD)
            return made

        yield opened


def says(page: Page, minutes: str) -> None:
    shown = page.locator("#hpcc-notebook-time-left")
    browser.expect(shown).to_have_text(
        re.compile(f"^{minutes} min( \\d+ s)? left$"), timeout=browser.PATIENCE
    )


def test_another_clock_shows_the_same_time_left(page: Callable[[int], Page]) -> None:
    says(page(5 * HOUR), "5\\d")


def test_a_computer_that_slept_warns_once_when_it_wakes(page: Callable[[int], Page]) -> None:
    """Of the moments that it slept through, the last one counts; its tunnel is gone meanwhile."""
    woken = page(0)
    woken.route(f"**{meters.AT}*", lambda route: route.abort())
    says(woken, "5\\d")
    woken.clock.fast_forward(52 * MINUTE * 1000)
    warning = woken.locator(".Toastify__toast")
    browser.expect(warning).to_contain_text("The job of this server ends in")
    browser.expect(warning).to_have_count(1)
    assert re.search(r"ends in [567] min", warning.inner_text())
    woken.clock.fast_forward(3 * MINUTE * 1000)
    browser.expect(warning.filter(has_text=re.compile("ends in [234] min"))).to_be_visible()
    browser.expect(warning).to_have_count(1)


@pytest.mark.parametrize("ahead", [-5 * HOUR, 5 * HOUR])
def test_a_clock_that_is_set_meanwhile_warns_of_nothing(
    page: Callable[[int], Page], ahead: int
) -> None:
    set_right = page(0)
    says(set_right, "5\\d")
    set_right.clock.set_system_time(time.time() + ahead)
    set_right.wait_for_timeout(3000)
    says(set_right, "5\\d")
    browser.expect(set_right.locator(".Toastify__toast")).to_have_count(0)


def test_a_warning_that_only_a_clock_gave_is_taken_back(page: Callable[[int], Page]) -> None:
    """The server could not be asked then, and says later that there is time; a true one comes."""
    set_on = page(0)
    set_on.route(f"**{meters.AT}*", lambda route: route.abort())
    says(set_on, "5\\d")
    set_on.clock.set_system_time(time.time() + 50 * MINUTE)
    warning = set_on.locator(".Toastify__toast")
    browser.expect(warning).to_have_count(1)
    set_on.unroute(f"**{meters.AT}*")
    says(set_on, "5\\d")
    browser.expect(warning).to_have_count(0)
    set_on.route(f"**{meters.AT}*", lambda route: route.abort())
    set_on.clock.fast_forward(50 * MINUTE * 1000)
    browser.expect(warning).to_have_count(1)


def test_who_asks_is_told_what_is_left(server: OverTcp) -> None:
    answer, text = server.ask("GET", meters.AT, **server.authorization())
    assert answer.status == 200
    assert HOUR - 10 * MINUTE < json.loads(text)["left"] <= HOUR

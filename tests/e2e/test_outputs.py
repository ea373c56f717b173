"""What a cell prints while the tunnel is gone: the tab that stayed open gets it afterwards."""

from __future__ import annotations

import browser
import pytest
from connecting import PASSWORD, USER, VARIABLES
from playwright.sync_api import expect
from terminal import Tunnel, playbook
from test_notebook_in_the_browser import printed

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(900)
LINES = 25
ON_THE_WAY = 2  # sent into the connection while it broke
# A counter that rewrites its line, and a picture at the end, as progress bars and plots do.
CELL = f"""\
import base64, time
from IPython.display import Image, display
for number in range({LINES}):
    print("line", number, flush=True)
    print("\\rat", number, end="\\r", flush=True)
    time.sleep(1)
display(Image(base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg==")))
"""


@pytest.fixture
def command(serving: str, options: list[str]) -> str:
    """The printed tunnel to a running server."""
    assert serving == USER
    return printed(r"^ +(ssh .*)$", playbook("start", *options, "-e", VARIABLES))


def test_a_tab_that_stays_open_gets_what_was_printed_while_the_tunnel_was_gone(
    command: str, local_port: int
) -> None:
    with browser.page() as page:
        lab = browser.Lab(page)
        with Tunnel(command, local_port):
            browser.log_in(page, f"https://127.0.0.1:{local_port}", PASSWORD)
            lab.new_notebook()
            lab.type_and_run(CELL)
            page.wait_for_timeout(3000)
        page.wait_for_timeout(10_000)
        with Tunnel(command, local_port):
            shown = page.locator(".jp-OutputArea-output")
            expect(shown.first).to_contain_text(f"line {LINES - 1}\n", timeout=90_000)
            lines = shown.first.inner_text().splitlines()
            missing = [number for number in range(LINES) if f"line {number}" not in lines]
            assert len(missing) <= ON_THE_WAY, missing
            expect(page.locator(".jp-OutputArea-output img")).to_have_count(1)

"""From a full queue to a cell on a compute node, by what is printed alone."""

from __future__ import annotations

import re
from contextlib import nullcontext

import browser
import pexpect
import pytest
from job_sites import NEIGHBOUR, Site, on, refusing
from jobs import jobs, run, starting, starts
from terminal import COLOUR

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("nothing_is_left")]
LOGINS = {"allowed": nullcontext, "refused": lambda: refusing("Port 2299")}


@pytest.mark.parametrize("logins", LOGINS)
def test_a_person_waits_and_works_on_a_compute_node(full_queue: Site, logins: str) -> None:
    port = starts.free_port()
    with LOGINS[logins]():
        with starting(full_queue, nbserver_local_port=port) as terminal:
            terminal.expect(f"waits in the queue: {full_queue.waits}")
            on("gateway", full_queue.empty, user=NEIGHBOUR)
            terminal.expect(pexpect.EOF)
            said = COLOUR.sub("", terminal.before).replace("\r\n", "\n")
        assert terminal.exitstatus == 0
        node = starts.printed(r"Notebook server on (c[12]) is running", said)
        with starts.tunnel(starts.printed(r"^ +(ssh .*)$", said), port), browser.page() as page:
            browser.log_in(page, f"https://127.0.0.1:{port}", starts.PASSWORD)
            look_at_a_notebook(browser.Lab(page), node)
        assert f"Notebook server on {node} was stopped: job " in run("stop", full_queue)
    assert jobs() == []


def look_at_a_notebook(frontend: browser.Lab, node: str) -> None:
    frontend.new_notebook()
    assert frontend.run_cell("import socket; print(socket.gethostname())") == node
    frontend.add_heading("Results of the day")
    assert frontend.table_of_contents() == ["Results of the day"]
    meters = frontend.browser.locator("#hpcc-notebook-meters")
    browser.expect(meters).to_have_text(re.compile(r"^Memory \d+ of 300 MB"))
    left = frontend.browser.locator("#hpcc-notebook-time-left")
    browser.expect(left).to_have_text(re.compile(r"^1\d min( \d+ s)? left$"))

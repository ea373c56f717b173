"""open at a terminal: what it has started is a server that others recognise, and stays."""

import socket
import sys
from pathlib import Path

import pexpect
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tests" / "e2e"))

from connecting import GREETING, connecting, login_page
from playing import twice


# Over `two_hop` it starts, says what to type and ends. Over `jump` it stays until Ctrl-C.
@pytest.fixture(scope="module", autouse=True)
def played():
    twice("open", "-e", "nbserver_tunnel=two_hop")


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_it_was_started_and_outlives_the_connection(host, port):
    def sockets():
        return host.check_output("ss -Hlx | grep -c /tmp/nbserver-1001/notebook.sock")

    assert sockets() == "1"
    with connecting("-e", f"nbserver_local_port={port}", name="open") as terminal:
        terminal.expect(GREETING)
        assert login_page(port) == "200"
        terminal.sendcontrol("c")
        terminal.expect("The server on dev1 goes on running")
        terminal.expect(pexpect.EOF)
    assert sockets() == "1"

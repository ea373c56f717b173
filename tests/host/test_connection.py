"""What a node answers, or does not, becomes a server or one line that says what to do."""

import re
import socket
import threading
from dataclasses import replace

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import Trust
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.connection import (
    Connection,
    look,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import Ended

ANSWER = "MARK host=dev1\nMARK user=alice\nMARK uid=1001\nMARK boot_id=b\nMARK end\n"


class Node:
    """A login on a node that answers so; what it was asked is kept."""

    def __init__(self, ended):
        self.ended = ended
        self.program = ""

    def run(self, program, _timeout):
        self.program = program
        mark = re.search(r"^MARK=(\S+)$", program, re.MULTILINE)[1]
        return replace(self.ended, stdout=self.ended.stdout.replace("MARK", mark))


def test_noise_of_login_files_around_the_answer_is_dropped():
    node = look(Node(Ended(0, f"Welcome!\n{ANSWER}bye\n", "")), "nbserver")
    assert (node.host, node.user, node.uid) == ("dev1", "alice", 1001)


def test_the_name_of_the_profile_is_one_word_of_the_program():
    node = Node(Ended(0, ANSWER, ""))
    look(node, "nb 'x")
    assert "\nPROFILE='nb '\"'\"'x'\n" in node.program


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (Ended(124, "", "no answer within 30 seconds"), "ended with 124: no answer within 30"),
        (Ended(0, "Welcome!\n", ""), "ended with 0: Welcome!"),
        (Ended(1, "", ""), "ended with 1: no output"),
        (Ended(255, "", "a\nmux_client_request_session: read from master failed"), "mux_client"),
    ],
)
def test_a_shell_that_does_not_answer_is_said_with_where_to_look(ended, said):
    with pytest.raises(NotebookError, match=said) as refused:
        look(Node(ended), "nbserver")
    assert ".bashrc" in str(refused.value)


class Login:
    """One that stands."""

    def alive(self):
        return True


@pytest.mark.parametrize("last", [b"", bytes.fromhex("15030300020100")], ids=["eof", "notify"])
def test_a_connection_that_is_closed_is_no_proof_of_another_server(last):
    def close(listener):
        with listener.accept()[0] as accepted:
            accepted.recv(4096)
            accepted.sendall(last)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        closing = threading.Thread(target=close, args=(listener,))
        closing.start()
        port = listener.getsockname()[1]
        connection = Connection(Login(), "nbserver", port, [], trusts=(Trust("AA:BB"),))
        assert connection.why_dead(10) == "no answer: the connection was closed"
        closing.join()

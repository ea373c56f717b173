"""Whoever finds a port taken is told by what, and which other one is free."""

import os
import socket

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.listener import (
    listener,
    require_free,
)


@pytest.fixture
def taken():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def test_the_program_is_named_with_its_pid(taken):
    assert listener(taken).endswith(f"(pid {os.getpid()})")


def test_a_taken_port_is_refused_with_its_holder_and_a_free_one(taken):
    with pytest.raises(NotebookError, match=f"port {taken} of this computer is taken by") as said:
        require_free(taken)
    assert f"(pid {os.getpid()})" in str(said.value)
    other = int(str(said.value).rpartition("nbserver_local_port=")[2].rstrip("."))
    require_free(other)


def test_a_free_port_has_no_listener():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
    assert listener(free) == ""
    require_free(free)

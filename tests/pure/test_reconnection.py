"""A connection is kept: lost ones are opened again, with patience, until nobody wants it."""

from itertools import islice

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import Fault
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.connection import Lost
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reconnection import (
    ASK_EVERY,
    Reconnector,
    delays,
)

PASSING = Lost(Fault("no network", "ssh", passing=True))
LASTING = Lost(Fault("its host key has changed", "dev1"))


class Connection:
    """A connection whose fate is written down, one event for each look at it."""

    local_port = 8888

    def __init__(self, fate, openings=()):
        self.fate, self.openings = list(fate), list(openings)
        self.closed = self.asked = 0
        self.session = self

    def alive(self):
        return self.fate.pop(0) if self.fate and isinstance(self.fate[0], bool) else True

    def why_dead(self):
        self.asked += 1
        return self.fate.pop(0) if self.fate else "ssh has ended"

    def close(self):
        self.closed += 1

    def open(self):
        event = self.openings.pop(0)
        if isinstance(event, Lost):
            raise event
        return {"version": "JupyterLab 4.6.6", "host": "dev1"}


class Clock:
    """Time that passes only while somebody sleeps; `naps` are longer than they were meant."""

    def __init__(self, naps=()):
        self.seconds, self.naps, self.slept = 0.0, list(naps), []

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += self.naps.pop(0) if self.naps else seconds


def keep(connection, looks, naps=()):
    """Keep it for so many looks; gives what was said, and the clock."""
    said, clock, left = [], Clock(naps), [looks]

    def wanted():
        left[0] -= 1
        return left[0] >= 0

    Reconnector(connection, said.append, wanted, clock.sleep, clock.now).keep()
    return [line.partition(" ")[2] for line in said], clock


def test_a_healthy_connection_is_left_alone_and_rarely_asked():
    connection = Connection([None, None])
    said, _clock = keep(connection, 2 * ASK_EVERY)
    assert said == []
    assert (connection.closed, connection.asked) == (0, 2)


def test_a_lost_connection_is_said_and_opened_again():
    connection = Connection([False, "ssh has ended"], ["opened"])
    said, _clock = keep(connection, 3)
    assert said == [
        "The connection was lost (ssh has ended).",
        "Trying again in 1 s.",
        "Connected again after 1 s: https://127.0.0.1:8888",
        "   JupyterLab 4.6.6 on dev1, certificate checked again.",
    ]
    assert connection.closed == 1, "nothing of the old one is left"


def test_the_same_reason_is_said_once_and_the_patience_grows():
    connection = Connection([False, "ssh has ended"], [PASSING, PASSING, PASSING, "opened"])
    said, clock = keep(connection, 8)
    assert said.count("ssh: no network.") == 1
    assert clock.slept[1:5] == [1, 2, 5, 10]
    assert connection.closed == 4


def test_what_cannot_pass_by_itself_ends_it():
    connection = Connection([False, "ssh has ended"], [LASTING])
    with pytest.raises(Lost, match="host key has changed"):
        keep(connection, 5)


def test_after_a_sleep_the_connection_is_asked_at_once():
    connection = Connection(["no answer: timed out"], ["opened"])
    said, _clock = keep(connection, 2, naps=[600])
    assert said[0] == "The connection was lost (this computer slept; no answer: timed out)."


def test_a_connection_that_survived_a_sleep_is_not_touched():
    connection = Connection([None])
    said, _clock = keep(connection, 2, naps=[600])
    assert (said, connection.asked) == ([], 1)


def test_nobody_is_connected_again_who_has_left_meanwhile():
    connection = Connection([False, "ssh has ended"], ["opened"])
    said, _clock = keep(connection, 1)
    assert said[-1] == "Trying again in 1 s."


def test_tries_end_up_once_a_minute():
    assert list(islice(delays(), 8)) == [1, 2, 5, 10, 20, 30, 60, 60]

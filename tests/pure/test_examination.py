# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the doctor waits for a node, and what it says of one that does not answer."""

from __future__ import annotations

import time

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._doctor import examination
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import Ended

SETTINGS = {
    "PREFIX": "~/none", "PROFILE": "nbserver", "MODULE": "none", "MODULES": "~/none",
    "PORT": 1, "ASKED": "x",
}  # fmt: skip


class BusyNode:
    """A shell that runs what does nothing, and nothing that takes long."""

    def __init__(self, shell_seconds: float) -> None:
        self._shell_seconds = shell_seconds
        self.waited: list[float] = []

    def open(self) -> None:
        """It lets everybody in."""

    def run(self, program: str, timeout: float) -> Ended:
        self.waited.append(timeout)
        if program == ":\n":
            time.sleep(self._shell_seconds)
            return Ended(0, "", "")
        return Ended(124, "", f"no answer within {timeout:.0f} seconds")


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forwarding is not what is looked at here."""
    monkeypatch.setattr(examination, "_forwarding", lambda _session, _seen: {})


@pytest.mark.usefixtures("unreachable")
def test_the_login_files_are_not_blamed_for_what_hangs_after_them() -> None:
    seen = examination.node(BusyNode(0.0), [], SETTINGS)  # type: ignore[arg-type]
    assert "node_fault" not in seen
    assert seen["look_fault"] == ["`sh -s` ended with 124: no answer within 30 seconds"]


@pytest.mark.usefixtures("unreachable")
def test_a_slow_node_gets_more_time() -> None:
    node = BusyNode(0.5)
    examination.node(node, [], SETTINGS)  # type: ignore[arg-type]
    assert 2 * examination.LOOK_WITHIN < node.waited[-1] < 4 * examination.LOOK_WITHIN


@pytest.mark.parametrize(("seconds", "waits"), [(0.0, 30), (0.2, 30), (0.4, 60), (9.9, 120)])
def test_nobody_waits_for_ever(seconds: float, waits: float) -> None:
    assert examination.patience(seconds) == waits

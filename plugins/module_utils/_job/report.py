# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: what a person is told of a job, and what a tunnel needs."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import Noted
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import STARTED, WAITING, View
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person


def report(layout: Layout, view: View) -> dict[str, object]:
    """What a person is told, and what a tunnel needs."""
    submitted, known, server = view.submission, view.known, view.server
    serves = view.state == STARTED and server is not None
    return {
        "host": server.host if server and serves else layout.host,
        "user": person(layout.uid)[0],
        "state": view.state,
        "reason": view.reason,
        "job": known.job if known else submitted.job if submitted else "",
        "node": known.node if known else "",
        "stalled": known.standstill if known else "",
        "expected": known.expected if known and view.state == WAITING else "",
        "asked": submitted.asked if submitted else "",
        "idle_shutdown": submitted.idle if submitted else 0,
        "scheduler": submitted.scheduler if submitted else "",
        "successor": view.successor.known.job if view.successor else "",
        "successor_reason": view.successor.known.reason if view.successor else "",
        **(server_record.way_in(server, layout.records) if server and serves else {}),
        **(_measured(view.noted) if view.noted and serves else {}),
    }


def _measured(noted: Noted) -> dict[str, object]:
    found = {**vars(noted), "measured": noted.at}
    return {name: value for name, value in found.items() if name not in ("mark", "at")}

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about a server, and why. Pure: what there is in, reasons out."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch

ENDED = ("stopped", "absent")


@dataclass(frozen=True)
class Found:
    """What there is on the host, as far as a decision depends on it."""

    running: Launch | None = None
    session: bool = False  # tmux answers for it
    tmux: bool = False  # it lives, whether it answers or not
    noted: bool = False  # the record speaks of what is running
    before: str | None = None  # what became of the server that the record speaks of
    leftovers: bool = False  # files of ours lie on the node


@dataclass(frozen=True)
class Plan:
    """What is going to be done and why; None where nothing is."""

    stop: str | None = None
    start: str | None = None
    mend: str | None = None
    note: str | None = None
    sweep: str | None = None

    @property
    def reason(self) -> str | None:
        """Why anything is done at all."""
        return self.start or self.stop or self.mend or self.note or self.sweep


def decide(state: str, found: Found) -> Plan:
    """Compare what there is with what is asked for."""
    stop = why_stop(state, found.running, found.session)
    stays = found.running is not None and not stop
    lost = stays and found.tmux and not found.session
    return Plan(
        stop=stop,
        start=why_start(state, found.running, found.session, found.before),
        mend="the socket of its tmux was gone" if lost else None,
        note="it ran without a record" if stays and not found.noted else None,
        sweep="to be removed" if state == "absent" and found.leftovers else None,
    )


def why_start(state: str, running: Launch | None, session: bool, before: str | None) -> str | None:
    """The reason to start a server, or None when there is nothing to start."""
    if state in ENDED or (running and state == "started"):
        return None
    if running:
        return "a restart was asked for"
    if session:
        return "the tmux session had lost its server"
    return before or "not running"


def why_stop(state: str, running: Launch | None, session: bool) -> str | None:
    """The reason to stop what is there, or None when nothing is."""
    if running and state != "started":
        return "running" if state in ENDED else "a restart was asked for"
    if session and not running:
        return "the tmux session had lost its server"
    return None


def difference(running: Launch, wanted: Launch) -> str | None:
    """What a running server does not do as asked; only a restart changes that."""
    if running.serves_like(wanted):
        return None
    return f"{running} is running already and was left alone; restart it to have {wanted}"

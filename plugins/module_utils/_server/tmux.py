# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines of tmux. Pure. Always our own server: our socket, no configuration of anybody's."""

from __future__ import annotations

from typing import Sequence


def new_session(socket: str, session: str, argv: Sequence[str]) -> list[str]:
    """Start a detached session that runs argv, without a shell; prints the pid of its process."""
    options = ["-d", "-P", "-F", "#{pane_pid}", "-s", session, "-x", "160", "-y", "48"]
    return [*_tmux(socket), "new-session", *options, "--", *map(_word, argv)]


def pane_pids(socket: str, session: str) -> list[str]:
    """List the pid of each of the session's processes; exits with 1 when there is no session."""
    # The colon: without it the name is one of a window, and any session has a current one.
    return [*_tmux(socket), "list-panes", "-s", "-t", f"={session}:", "-F", "#{pane_pid}"]


def kill_session(socket: str, session: str) -> list[str]:
    """End a session and what is still in it."""
    return [*_tmux(socket), "kill-session", "-t", f"={session}"]


def _tmux(socket: str) -> list[str]:
    return ["tmux", "-S", socket, "-f", "/dev/null"]


def _word(text: str) -> str:
    """A word that ends in a semicolon would end the command for tmux."""
    return f"{text[:-1]}\\;" if text.endswith(";") else text

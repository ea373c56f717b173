# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What outlives a logout, where systemd-logind decides that. Pure: what was seen in, words out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

# What says whether the processes of a session die with it, and whose.
PROPERTIES = ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers")
SHOW = ["loginctl", "show-user", *(f"--property={name}" for name in PROPERTIES)]


@dataclass(frozen=True)
class Logind:
    """How a host treats an account: the defaults are those of a host without systemd."""

    kills: bool = False  # whatever is left in a session ends at logout
    manager: bool = False  # the account has a systemd of its own, beside its sessions
    lingers: bool = False  # that one stays when the last session ends

    @property
    def in_scope(self) -> bool:
        """Whether to leave the session. Not without need: without lingering, the account's own
        systemd ends with the last session, and only logind's mildness lets a session live on."""
        return self.kills and self.manager

    @property
    def warning(self) -> str | None:
        """What a person should know, when nothing that we may do survives their logout."""
        if not self.kills or (self.manager and self.lingers):
            return None
        return (
            "this host ends whatever runs when you log out, and the server with it; "
            "`loginctl enable-linger` there allows it to stay, or ask the site"
        )


def kills(shown: str, user: str) -> bool:
    """Whether logind ends what this user leaves running, from what loginctl shows."""
    found = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    switch, only, exclude = (found.get(name, "").split() for name in PROPERTIES)
    return switch == ["yes"] and user not in exclude and (not only or user in only)


def surviving(argv: Sequence[str], logind: Logind) -> list[str]:
    """The same command, outside of the session where the session would take it along."""
    scope = ["systemd-run", "--user", "--scope", "--quiet", "--"]
    return [*(scope if logind.in_scope else []), *argv]

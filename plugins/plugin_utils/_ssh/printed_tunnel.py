# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command of a tunnel as it is shown, and what the configuration of ssh makes of it here.

A command that a person types reads that person's configuration. What that adds to a login cannot
be left out of one command, so it is said.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import CONNECT
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import tunnel
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.config import Settings
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import own_ssh
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_options import resolved

_WITHOUT = f"`{CONNECT}` does without"


@dataclass(frozen=True)
class PrintedTunnel:
    """The command, or nothing; and lines about it."""

    command: str
    remarks: tuple[str, ...] = ()


def printed(
    server: Mapping[str, Any],
    dev: Mapping[str, Any],
    gateway: Mapping[str, Any] | None,
    local_port: object,
    form: str | None,
) -> PrintedTunnel:
    """What to type; a server that runs is told of even where that cannot be said."""
    try:
        first = resolved(gateway) if gateway else None
        words = tunnel.tunnel_words(
            server, resolved(dev, server.get("keywords")), first, local_port, form
        )
        command = tunnel.command_of(words)
    except NotebookError as error:
        return PrintedTunnel("", (f"How to reach it cannot be said: {error}",))
    end = tunnel.remote_end(server)
    try:
        apart = _apart(words)
        found = own_ssh.settings([*apart, *tunnel.outer_words(words)], words[0])
        remarks = list(_remarks(found, words, tunnel.local_end(local_port), end))
    except NotebookError as error:
        return PrintedTunnel(command, (str(error),))
    return PrintedTunnel(tunnel.command_of([words[0], *apart, *words[1:]]), tuple(remarks))


def _apart(words: list[str]) -> list[str]:
    """What keeps ssh from a login that may lead to another cluster."""
    elsewhere = own_ssh.may_lead_elsewhere(tunnel.outer_words(words), words[0])
    return ["-S", "none"] if elsewhere else []


def _remarks(found: Settings, words: list[str], local: str, target: str) -> Iterator[str]:
    others = own_ssh.foreign_forwards(found, words)
    if others:
        yield f"Your configuration of ssh forwards more at this login: {', '.join(others)}."
        yield f"While such a port is taken, the command above may end with an error; {_WITHOUT}."
    if found.get("clearallforwardings") == ["yes"]:
        yield "Your configuration of ssh clears forwardings, this one, too (ClearAllForwardings):"
        yield f"type -o ClearAllForwardings=no behind ssh; {_WITHOUT}."
    if found.get("forkafterauthentication") == ["yes"]:
        yield "Your ssh goes to the background at a login (ForkAfterAuthentication): the command"
        yield f"returns at once, and the tunnel is open until you end that ssh; {_WITHOUT}."
    path = own_ssh.shared_login(found)
    if path:
        end = [*own_ssh.through(path), "-O", "cancel", "-L", f"{local}:{target}", "node"]
        yield "ssh shares your open login to that node (ControlMaster): the command returns at once"
        yield "and the tunnel is open until that login ends, or until you type"
        yield f"    {shlex.join(end)}"
    elif _persists(found):
        yield "ssh keeps that login in the background (ControlPersist): the command returns at once"
        yield "and the tunnel is open until that login ends."


def _persists(found: Settings) -> bool:
    """Whether the first login goes on by itself, for others to share."""
    shares = found.get("controlmaster", ["no"])[0] in ("auto", "yes", "true")
    return shares and found.get("controlpersist", ["no"])[0] not in ("no", "false")

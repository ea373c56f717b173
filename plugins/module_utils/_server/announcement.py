# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said about a server when it has been started or stopped. Pure: lines come out."""

from __future__ import annotations

import time
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common import commands
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._server.table import (
    following,
    time_left,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.tunnel import (
    LOCAL_PORT,
    gateway_port,
    meeting_point,
)

_UNKNOWN = "That host is not in this inventory: put it there to see how it is reached."


def address(local_port: object) -> str:
    """Where a browser on the person's computer finds the server."""
    return f"https://127.0.0.1:{local_port}"


def connected(server: Variables, local_port: object) -> list[str]:
    """The lines for a person who is connected and wonders what to do now."""
    sha256 = printable(server["certificate_sha256"])
    return [
        f"Connected: {printable(server['version'])} on {printable(server['host'])} is at",
        f"    {address(local_port)}   (certificate SHA-256 {sha256}, checked)",
        *_end_of(server),
        "This window keeps the connection; Ctrl-C closes it, and the server goes on running.",
    ]


def closed(server: Variables) -> str:
    """What is true when the person has closed the connection."""
    host = printable(server["host"])
    return (
        f"Closed. The server on {host} goes on running: `{commands.OPEN}` leads there again, "
        f"`{commands.STOP}` ends it."
    )


def _end_of(server: Variables) -> list[str]:
    """How long a server that is a job goes on."""
    if not server.get("job"):
        return []
    left = time_left(str(server["ends"]), time.time())
    return [f"It is job {printable(server['job'])}: {left}."]


_WARNING = (
    "Warning: any user of the gateway can listen on its port {port} before you do, and would get\n"
    "your password. Log in only where the browser shows the fingerprint above."
)


def announcement(
    server: Variables,
    command: str = "",
    local_port: object = LOCAL_PORT,
    check: bool = False,
    remarks: Sequence[str] = (),
) -> list[str]:
    """The lines to print for what notebook_server returned."""
    host = f"Notebook server on {printable(server['host'])}"
    if server["state"] == "stopped":
        return [f"{host} {_stopped(server, check)}."]
    verb = "would be started" if check and server.get("changed") else "is running"
    if "job" in server and server["state"] != "elsewhere":
        return [
            *_of_job(server),
            *(way_in(server, command, local_port, remarks) if command else []),
        ]
    session = f'tmux session "{printable(server["session"])}", {printable(server["version"])}'
    if server["state"] == "elsewhere":
        reason = printable(server["reason"])
        lead = [f"{reason[0].upper()}{reason[1:]} (-e nbserver_second=true starts one)."]
    else:
        lead = [f"{host} {verb} ({session})."]
    if not command:
        return [*lead, *(map(printable, remarks) if remarks else [_UNKNOWN])]
    return [*lead, *way_in(server, command, local_port, remarks)]


def way_in(
    server: Variables, command: str, local_port: object, remarks: Sequence[str] = ()
) -> list[str]:
    """What to type and to open, and what to be careful about."""
    if not command:
        return [*map(printable, remarks)]
    return [
        "On your own computer:",
        f"    {command}",
        f"then open {address(local_port)}   "
        f"(certificate SHA-256 {printable(server['certificate_sha256'])})",
        *(
            _WARNING.format(port=gateway_port(server)).splitlines()
            if _exposed(server, command)
            else []
        ),
        *map(printable, remarks),
        *([f"{printable(server['obstacle'])}."] if server.get("obstacle") else []),
    ]


def _of_job(server: Variables) -> list[str]:
    """Where a job is that serves, or that will."""
    job = f"Job {printable(server['job'])}" if server["job"] else "A job"
    if server["state"] != "started":
        told = f"{job} {printable(server['reason'])} ({printable(server['asked'])})."
        return [told, *_following(server)]
    left = time_left(str(server["ends"]), time.time())
    return [
        f"Notebook server on {printable(server['host'])} is running "
        f"({job.lower()}, {printable(server['version'])}); {left}.",
        *_stalled(server.get("stalled")),
        *_idle(server.get("idle_shutdown")),
        *_following(server),
    ]


def _following(server: Variables) -> list[str]:
    """The job that is to take over, where one was asked for."""
    return [f"{printable(line)}." for line in following(server)]


def _stalled(why: object) -> list[str]:
    """That its job has the node and does not go on all the same."""
    said = printable(why or "")
    return [f"{said[0].upper()}{said[1:]}."] if said else []


def _idle(seconds: object) -> list[str]:
    """That an allocation which nobody uses is given back."""
    if not isinstance(seconds, int) or not seconds:
        return []
    minutes = max(1, seconds // 60)
    return [f"Unused for {minutes} min it ends sooner (-e nbserver_idle_shutdown=0: it stays)."]


def _exposed(server: Variables, command: str) -> bool:
    """Whether the command makes the gateway listen on a port."""
    return command.startswith("ssh -t ") and not meeting_point(server).startswith("/")


def _stopped(server: Variables, check: bool) -> str:
    if not server.get("changed"):
        return "was not running"
    if check:
        return "would be stopped"
    if "stopped_by" not in server:
        return "was not running, and what it had left was removed"
    kernels = server.get("kernels_ended", 0)
    with_it = f" ({kernels} kernel{'s' if kernels != 1 else ''} ended with it)" if kernels else ""
    return f"was stopped: {printable(server['stopped_by'])}{with_it}"

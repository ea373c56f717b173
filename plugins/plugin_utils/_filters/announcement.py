# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a server."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._server import announcement as lines
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import tunnel
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables
from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters.errors import as_filter
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.printed_tunnel import (
    PrintedTunnel,
    printed,
)


@as_filter
def announcement(
    server: Variables,
    dev: Variables | None = None,
    gateway: Variables | None = None,
    local_port: object = None,
    form: str | None = None,
    check: bool = False,
) -> list[str]:
    """What to say, with the command that leads to a server that runs."""
    port = tunnel.LOCAL_PORT if local_port is None else local_port
    serving = server["state"] != "stopped" and bool(dev)
    shown = printed(server, dev or {}, gateway, port, form) if serving else PrintedTunnel("")
    return lines.announcement(server, shown.command, port, check, shown.remarks)

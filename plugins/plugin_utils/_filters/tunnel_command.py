# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that a person types on their own computer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import tunnel
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables
from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters.errors import as_filter
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_options import resolved


@as_filter
def tunnel_command(
    server: Mapping[str, Any],
    dev: Variables,
    gateway: Variables | None = None,
    local_port: object = tunnel.LOCAL_PORT,
    form: str | None = None,
) -> str:
    """The command, by whatever makes Ansible reach the hosts."""
    first = resolved(gateway) if gateway else None
    return tunnel.tunnel_command(
        server, resolved(dev, server.get("keywords")), first, local_port, form
    )

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of the login that the tasks of a play share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.login_name import login_name


def control_path(variables: Mapping[str, Any]) -> str:
    """As long as the name that Ansible itself would take: a socket's path has to be short."""
    given = variables.get("ansible_control_path")
    return str(given) if given else f"%(directory)s/{login_name(variables)}"

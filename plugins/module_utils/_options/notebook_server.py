# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What notebook_server takes. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import FRONTENDS

OF_JOB = {
    "resources": {"type": "str", "default": ""},
    "queue": {"type": "str", "default": ""},
    "cores": {"type": "int", "default": 1},
    "successor": {"type": "bool", "default": False},
}
STATES = ["started", "stopped", "restarted", "absent"]
ARGUMENTS: dict[str, Any] = {
    "profile": {"type": "str", "default": "nbserver"},
    "state": {"type": "str", "choices": STATES, "default": "started"},
    "frontend": {"type": "str", "choices": list(FRONTENDS), "default": "lab"},
    "transport": {"type": "str", "choices": ["socket", "tcp"], "default": "socket"},
    "port": {"type": "int", "default": 8888},
    "session": {"type": "str"},
    "timeout": {"type": "int", "default": 60},
    "modules": {"type": "list", "elements": "str", "default": []},
    "threads": {"type": "int", "default": 0},
    "idle_shutdown": {"type": "int", "default": 0},
    "cpu_limit": {"type": "int", "default": 0},
    "kernels_from_environments": {"type": "bool", "default": False},
    "second": {"type": "bool", "default": False},
    "where": {"type": "str", "choices": ["node", "job"], "default": "node"},
    "job": {"type": "dict", "options": OF_JOB},
}
INTERFACE: dict[str, Any] = {"argument_spec": ARGUMENTS}

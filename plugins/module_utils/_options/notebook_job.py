# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What notebook_job takes. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import FRONTENDS

STATES = ["started", "joined", "found", "stopped", "restarted", "absent"]
ARGUMENTS: dict[str, Any] = {
    "profile": {"type": "str", "default": "nbserver"},
    "state": {"type": "str", "choices": STATES, "default": "started"},
    "resources": {"type": "str", "default": ""},
    "queue": {"type": "str", "default": ""},
    "cores": {"type": "int", "default": 1},
    "frontend": {"type": "str", "choices": list(FRONTENDS), "default": "lab"},
    "modules": {"type": "list", "elements": "str", "default": []},
    "idle_shutdown": {"type": "int", "default": 0},
    "kernels_from_environments": {"type": "bool", "default": False},
    "successor": {"type": "bool", "default": False},
    "second": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 60},
    "wait": {"type": "int", "default": 0},
    "program": {"type": "str", "default": ""},
}
INTERFACE: dict[str, Any] = {"argument_spec": ARGUMENTS}

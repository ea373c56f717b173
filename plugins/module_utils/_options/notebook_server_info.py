# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What notebook_server_info takes. Pure."""

from __future__ import annotations

from typing import Any

ARGUMENTS: dict[str, Any] = {
    "profile": {"type": "str", "default": "nbserver"},
    "session": {"type": "str"},
    "ask_scheduler": {"type": "bool", "default": False},
    "modules": {"type": "list", "elements": "str", "default": []},
}
INTERFACE: dict[str, Any] = {"argument_spec": ARGUMENTS}

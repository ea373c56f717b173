# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh_config_block takes. Pure."""

from __future__ import annotations

from typing import Any

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "default": "nbserver"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "command": {"type": "str"},
    "path": {"type": "str", "default": "~/.ssh/config"},
}
INTERFACE: dict[str, Any] = {
    "argument_spec": ARGUMENTS,
    "required_if": [("state", "present", ["command"])],
}

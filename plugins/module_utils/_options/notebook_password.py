# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What notebook_password takes. Pure."""

from __future__ import annotations

from typing import Any

ARGUMENTS: dict[str, Any] = {
    "profile": {"type": "str", "default": "nbserver"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "password": {"type": "str", "no_log": True},
    "password_hash": {"type": "str", "no_log": True},
}
EXCLUSIVE = [("password", "password_hash")]
INTERFACE: dict[str, Any] = {"argument_spec": ARGUMENTS, "mutually_exclusive": EXCLUSIVE}

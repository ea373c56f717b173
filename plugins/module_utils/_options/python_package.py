# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What python_package takes. Pure."""

from __future__ import annotations

from typing import Any

ARGUMENTS: dict[str, Any] = {
    "src": {"type": "str", "required": True},
    "also": {"type": "list", "elements": "str", "default": []},
    "name": {"type": "str"},
    "version": {"type": "str"},
    "requires": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "dict", "default": {}},
}
INTERFACE: dict[str, Any] = {"argument_spec": ARGUMENTS}

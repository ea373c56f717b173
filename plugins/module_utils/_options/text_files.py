# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What text_files takes. Pure."""

from __future__ import annotations

from typing import Any

EACH: dict[str, Any] = {
    "path": {"type": "str", "required": True},
    "content": {"type": "str", "required": True},
    "mode": {"type": "str", "choices": ["0600", "0644"], "default": "0600"},
    "python": {"type": "bool", "default": False},
}
ARGUMENTS: dict[str, Any] = {
    "directories": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "list", "elements": "dict", "required": True, "options": EACH},
}
INTERFACE: dict[str, Any] = {"argument_spec": ARGUMENTS}

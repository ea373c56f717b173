# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ipython_profile takes. Pure."""

from __future__ import annotations

from typing import Any

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "default": "nbserver"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "root_dir": {"type": "str", "default": "~"},
    "options": {"type": "dict", "default": {}},
    "python": {"type": "str"},
    "debugger": {"type": "bool", "default": False},
}
INTERFACE: dict[str, Any] = {"argument_spec": ARGUMENTS}

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What notebook_certificate takes. Pure."""

from __future__ import annotations

from typing import Any

ARGUMENTS: dict[str, Any] = {
    "profile": {"type": "str", "default": "nbserver"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "key_type": {"type": "str", "choices": ["ec", "rsa"], "default": "ec"},
    "key_size": {"type": "int"},
    "days": {"type": "int", "default": 365},
    "renew_days": {"type": "int", "default": 30},
    "names": {"type": "list", "elements": "str", "default": []},
    "authority": {"type": "bool", "default": False},
    "authority_kept": {"type": "bool", "default": False},
    "authority_certificate": {"type": "str"},
    "signed": {"type": "str"},
}
INTERFACE: dict[str, Any] = {"argument_spec": ARGUMENTS}

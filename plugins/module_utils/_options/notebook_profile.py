# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What notebook_profile takes: all that its three parts do. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._options import (
    ipython_profile,
    notebook_certificate,
    notebook_password,
)

_PARTS = (notebook_password, notebook_certificate, ipython_profile)
_TAKEN = {name: spec for part in _PARTS for name, spec in part.ARGUMENTS.items()}
# `name` and `state` mean the same for all; the two others call the name `profile`.
ARGUMENTS: dict[str, Any] = {name: spec for name, spec in _TAKEN.items() if name != "profile"}
INTERFACE: dict[str, Any] = {
    "argument_spec": ARGUMENTS,
    "mutually_exclusive": notebook_password.EXCLUSIVE,
}

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor found on all hosts, as one document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import summary

ANSWER = "nbserver_examined"


def doctor_document(names: Iterable[str], hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The answers of these hosts together."""
    return summary.document({name: hosts[name].get(ANSWER, {}) for name in names})

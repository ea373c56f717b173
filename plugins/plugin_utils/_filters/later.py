# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that are imported when they are used.

Each task of a play finds the login that it shares by the filter control_path. Ansible looks for a
filter by importing every file beside it, and does so again in each task, for each person of a lab.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(name: str) -> Callable[..., Any]:
    """The filter of this name, which stands in the file of this name in this directory."""

    def imported(*arguments: object, **options: object) -> Any:
        place = import_module(f"{__package__}.{name}")
        return getattr(place, name)(*arguments, **options)

    return imported

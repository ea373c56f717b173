# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the texts of our own modules, for another Python. None of them is run for it.

A module that was sent to a node is compiled and run when it is asked for anything, also for its
name; with what it imports, that takes longer than most of what is done there.
"""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from types import ModuleType


def name(module: ModuleType) -> str:
    """The whole name of a module."""
    return _spec(module).name


def text(module: ModuleType) -> str:
    """What stands in the module's file."""
    return str(_spec(module).loader.get_source(name(module)))  # type: ignore[union-attr]


def _spec(module: ModuleType) -> ModuleSpec:
    spec: ModuleSpec = object.__getattribute__(module, "__spec__")
    return spec

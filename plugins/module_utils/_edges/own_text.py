# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the texts of our own modules, for another Python. None of them is run for it.

A module that was sent to a node is compiled and run when it is asked for anything, also for its
name; with what it imports, that takes longer than most of what is done there.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from ansible_collections.hpcc.notebook.plugins.module_utils._common.imported import closure


def name(module: ModuleType) -> str:
    """The whole name of a module."""
    return _spec(module).name


def text(module: ModuleType) -> str:
    """What stands in the module's file."""
    return _source(_spec(module))


def needed(module: ModuleType) -> dict[str, str]:
    """The texts of the module and of all of ours that it imports, by their whole names."""
    return closure(name(module), _known)


def _known(name: str) -> str | None:
    """Nothing for a package, and for a name in a module."""
    within = _loaded(name.rpartition(".")[0])
    if within and within.submodule_search_locations is None:
        return None  # importing it would run the module, only to find no other in it
    spec = _loaded(name) or _spec(importlib.import_module(name))
    return _source(spec) if spec.submodule_search_locations is None else None


def _loaded(name: str) -> ModuleSpec | None:
    """Of a module that was imported already: to import it again would run it."""
    module = sys.modules.get(name)
    return _spec(module) if module else None


def _source(spec: ModuleSpec) -> str:
    return str(spec.loader.get_source(spec.name))  # type: ignore[union-attr]


def _spec(module: ModuleType) -> ModuleSpec:
    spec: ModuleSpec = object.__getattribute__(module, "__spec__")
    return spec

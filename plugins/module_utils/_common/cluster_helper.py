# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package cluster_helper, which knows the schedulers, for the rest of the collection.

On the controller it lies in the collection; to a node, its texts are sent beside the module's. One
of the same name that is installed there is never meant.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_HERE, _PLUGINS, _REST = __file__.rpartition("/plugins/module_utils/")
_PLACE = f"{_HERE}/packages/cluster_helper"


def part(name: str) -> ModuleType:
    """One of its modules."""
    whole = f"cluster_helper.{name}"
    if whole in sys.modules:
        return sys.modules[whole]
    sys.path.insert(0, _PLACE)
    try:
        return importlib.import_module(whole)
    finally:
        sys.path.remove(_PLACE)

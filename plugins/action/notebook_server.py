# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the same name runs on the host, untouched by login files.

One node of a person after the other: the next one sees that there is a server already.
"""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.node_module import (
    ReachedNodeModule,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.turns import InTurn


class ActionModule(InTurn, ReachedNodeModule):
    """What Ansible looks for."""

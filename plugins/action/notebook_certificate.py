# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the same name runs on the host; an authority that is kept signs here."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust.signing import (
    SigningNodeModule as ActionModule,
)

__all__ = ["ActionModule"]

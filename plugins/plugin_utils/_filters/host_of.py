# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the host that a server runs on."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import host_of

__all__ = ["host_of"]

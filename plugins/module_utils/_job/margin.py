# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a job that serves ends in order, before the scheduler kills it. Pure."""

from __future__ import annotations

MOST = 60.0  # seconds: kernels are interrupted, the server ends them, and then itself
SHARE = 6  # of a short walltime, not more than its sixth


def margin(walltime: int) -> float:
    """How many seconds before its end."""
    return min(MOST, walltime / SHARE)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a moment is written, in records and reports. Pure."""

from __future__ import annotations

import calendar
import time


def timestamp(seconds: float) -> str:
    """A moment, in seconds since the epoch, as records and reports say it: in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def moment_of(text: str) -> int | None:
    """Seconds of the epoch of a moment in UTC, such as 2026-07-18T09:30:00Z."""
    try:
        return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return None

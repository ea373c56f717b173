# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: what a server and its kernels use of what they may, as the kernel counts it."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._edges import meters, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._server.limits import Usage


def measured(pid: int, said: int = 0, cpu_said: int = 0) -> Usage:
    """Now, also against limits that the kernel does not know.

    Args:
        said: bytes that stand in no cgroup, but that a scheduler has told.
        cpu_said: seconds of CPU time after which the site ends a process by itself.
    """
    own, group = meters.resident(pid), meters.memory(pid)
    if group is None or 0 < said < group.limit:
        used, limit = own, said
    else:
        used, limit = group.used, group.limit
    return Usage(own, used if limit else 0, limit, *_cpu(pid, cpu_said))


def _cpu(pid: int, said: int) -> tuple[int, int, int]:
    """Of the process that is nearest to its limit: seconds used, and both limits."""
    pids = processes.family(pid)
    found = [(processes.cpu_seconds(each), *_cpu_limits(each, said)) for each in pids]
    limited = [each for each in found if each[1]]
    used, soft, hard = max(limited, key=lambda each: each[0] / each[1], default=(0, 0, 0))
    return int(used), soft, hard


def _cpu_limits(pid: int, said: int) -> tuple[int, int]:
    """Whichever comes first; what the site says, nobody can raise."""
    soft, hard = processes.cpu_limits(pid)
    return (said, said) if said and not 0 < soft < said else (soft, hard)

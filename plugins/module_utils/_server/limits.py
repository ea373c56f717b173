# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server uses of what it may, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Mapping

MB = 1 << 20  # as schedulers count
GB = 1 << 30
NEAR = 0.8  # the share of a limit from which on a person should know


@dataclass(frozen=True)
class Usage:
    """Bytes, and seconds; a limit of 0 is none."""

    memory: int  # that the server and its kernels occupy
    memory_used: int  # that counts against the limit, whoever has it
    memory_limit: int
    cpu_used: int  # by the process that is nearest to the limit of each process
    cpu_limit: int  # after that it is told to end
    cpu_hard: int  # and after that it is killed


def warnings(usage: Usage) -> Iterator[str]:
    """What a person should know before it is too late."""
    if usage.memory_limit and usage.memory_used > NEAR * usage.memory_limit:
        used, limit = usage.memory_used // MB, usage.memory_limit // MB
        yield f"{used} MB of the {limit} MB that its limit allows are used: end a kernel"
    if usage.cpu_limit and usage.cpu_used > NEAR * usage.cpu_limit:
        most = spoken(usage.cpu_limit)
        yield (
            f"a process has used {spoken(usage.cpu_used)} of the {most} of CPU time after which "
            f"this host ends it{_hard(usage)}: restart its kernel, or use -e nbserver_where=job"
        )


def _hard(usage: Usage) -> str:
    """A soft limit can be raised by whoever starts the server."""
    if usage.cpu_hard == usage.cpu_limit:
        return ""
    most = spoken(usage.cpu_hard) if usage.cpu_hard else "no limit"
    return f" (`ulimit -S -t` before the start raises that, up to {most})"


def memory(row: Mapping[str, object]) -> str | None:
    """Against its limit, if it has one."""
    used, limit, own = row.get("memory_used"), row.get("memory_limit"), row.get("memory")
    if isinstance(limit, int) and isinstance(used, int) and limit > 0:
        return f"{used // MB} of {limit // MB} MB"
    return f"{own // MB} MB" if isinstance(own, int) else None


def home(row: Mapping[str, object]) -> str | None:
    """The person's quota at home, and what to do when little is left of it."""
    figures = [row.get(f"home_{name}") for name in ("used", "limit", "files", "files_limit")]
    used, limit, files, most = (each if isinstance(each, int) else 0 for each in figures)
    space = [f"{used / GB:.1f} of {limit / GB:.1f} GB"] if limit > 0 else []
    both = [*space, *([f"{files} of {most} files"] if most > 0 else [])]
    near = used > NEAR * limit > 0 or files > NEAR * most > 0
    todo = ": make room (`du -xhd1 ~` and `du --inodes -xd1 ~` show where it went)" if near else ""
    return f"Your quota at home: {' and '.join(both)} are used{todo}" if both else None


def cpu_time(row: Mapping[str, object]) -> str | None:
    """The same, of the process that is nearest to its limit."""
    used, limit = row.get("cpu_used"), row.get("cpu_limit")
    if isinstance(used, int) and isinstance(limit, int) and limit > 0:
        return f"{spoken(used)} of {spoken(limit)}"
    return None


def spoken(seconds: int) -> str:
    """A time as people say it."""
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else "less than a minute" if seconds else "0 min"

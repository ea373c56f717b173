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
    used = quota(row)
    todo = ": make room (`du -xhd1 ~` and `du --inodes -xd1 ~` show where it went)"
    return f"Your quota at home: {used} are used{todo * _near(row, *_QUOTAS)}" if used else None


def quota(row: Mapping[str, object]) -> str | None:
    """The same in short."""
    space, files = (tuple(_number(row, name) for name in pair) for pair in _QUOTAS)
    parts = [f"{space[0] / GB:.1f} of {space[1] / GB:.1f} GB"] if space[1] > 0 else []
    parts += [f"{files[0]} of {files[1]} files"] if files[1] > 0 else []
    return " and ".join(parts) or None


def meters(row: Mapping[str, object]) -> list[dict[str, object]]:
    """What an open page shows; what nothing limits and nobody counts is left out."""
    said = {
        "Memory": (memory(row), _MEMORY, "of this server and its kernels, and what they may use"),
        "CPU": (cpu_time(row), _CPU, "time of the process nearest to the limit of this host"),
        "Quota": (quota(row), _QUOTAS, "of yours at home"),
    }
    return [
        {"name": name, "text": text, "near": _near(row, *pairs), "of": of}
        for name, (text, pairs, of) in said.items()
        if text
    ]


_MEMORY = (("memory_used", "memory_limit"),)
_CPU = (("cpu_used", "cpu_limit"),)
_QUOTAS = (("home_used", "home_limit"), ("home_files", "home_files_limit"))


def _near(row: Mapping[str, object], *pairs: tuple[str, str]) -> bool:
    return any(_number(row, used) > NEAR * _number(row, limit) > 0 for used, limit in pairs)


def _number(row: Mapping[str, object], name: str) -> int:
    found = row.get(name)
    return found if isinstance(found, int) else 0


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

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a profile's job, and what is reported of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch


@dataclass(frozen=True)
class Wanted:
    """What a job is to have, as it was written."""

    resources: object
    queue: str
    cores: int


ANYTHING = Wanted("", "", 1)  # nothing was said about the job


@dataclass(frozen=True)
class Request:
    """What is asked for: the parameters of the module."""

    profile: str
    state: str
    launch: Launch
    wanted: Wanted
    timeout: int
    wait: int
    second: bool
    program: str
    successor: bool  # whether another job is to follow


@dataclass(frozen=True)
class Outcome:
    """What the module reports."""

    changed: bool
    report: dict[str, object]
    warnings: tuple[str, ...] = ()

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role lmod_module has to do, as a value that its tasks read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.hpcc.notebook.plugins.module_utils.modulefile import plan


def modulefile_plan(printed: list[str], wanted: str, place: str) -> dict[str, Any]:
    """The plan for a modulefile, from the last two lines that the host printed: words, and home."""
    if len(printed) < 2:
        raise AnsibleFilterError("modulefile_plan: the host's shell printed nothing about itself")
    return asdict(plan(printed[-2].split(), printed[-1].rstrip("\r"), wanted, place))


class FilterModule:
    """The decisions of module_utils/modulefile.py."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"modulefile_plan": modulefile_plan}

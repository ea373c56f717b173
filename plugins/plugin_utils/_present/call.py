# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts this run of ansible-playbook is for, as the person has typed it.

An inventory of ansible.cfg or the environment holds for the next command, too. Other variables of
the command line are not repeated: they may be secrets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import as_called


def options() -> list[str]:
    """What a command needs to be for the same hosts."""
    sources = _words("inventory")
    given = [] if sources == list(constants.DEFAULT_HOST_LIST) else sources
    inventory = [word for source in given for word in ("-i", _near(source))]
    return [*inventory, *(word for part in _limits() for word in ("--limit", part))]


def typed(text: str) -> str:
    """The text, with commands that work where it is read."""
    return as_called(text, options())


def with_commands(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a task, whose message a person reads."""
    said = result.get("msg")
    return {**result, "msg": typed(said)} if isinstance(said, str) else dict(result)


def _limits() -> Iterator[str]:
    limit = context.CLIARGS.get("subset")
    if limit:
        yield str(limit)


def _words(name: str) -> list[str]:
    found: Any = context.CLIARGS.get(name) or ()
    return [found] if isinstance(found, str) else [str(each) for each in found]


def _near(source: str) -> str:
    """A path below the working directory as it was typed; Ansible has made it a whole one."""
    path, here = Path(source), Path.cwd()
    if "," in source or not path.is_relative_to(here):
        return source
    near = os.path.relpath(path, here)
    return f"./{near}" if near.startswith("-") else near

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that make or remove a profile, as values: what, why, and what --diff shows. Pure."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from shlex import quote
from typing import Callable, Iterator, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.resource import Plan
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import password
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.home import refuse_other_home
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import Layout

REMOVED = "to be removed"


@dataclass(frozen=True)
class Step:
    """One change: what, why, how, and for a rendered file from which text to which."""

    name: str
    reason: str
    apply: Callable[[], object]
    before: str = ""
    after: str = ""


def plan(
    layout: Layout,
    steps: Sequence[Step],
    result: Mapping[str, object],
    warnings: Sequence[str] = (),
) -> Plan:
    """Make one plan of all steps."""

    def apply() -> Mapping[str, object]:
        for step in steps:
            step.apply()
        return {}

    reasons = [f"{step.name}: {step.reason}" for step in steps]
    diff = list(_differences(layout, steps))
    return Plan(reasons, apply, diff, {"path": layout.directory, **result}, warnings)


def is_ours(layout: Layout, name: str, content: bytes) -> bool:
    """Whether a file may go: it is still as we made it, or only we ever write it."""
    if name == profile.ENGINES:
        return profile.ENGINES_MARK.encode() in content.partition(b"\n")[0]
    if name == profile.README and content.startswith(profile.IPYTHONS_README):
        return True  # of a profile that IPython began
    if name in profile.BEGUN:
        return content == profile.BEGUN[name].encode()
    if name == profile.PASSWORD_FILE:
        return not password.without_hash(password.load(content, layout.at(name)))
    return name != profile.SERVER_CONFIG or profile.is_ours(content)


def refuse_foreign_config(path: str, content: bytes | None) -> None:
    """A configuration that a person wrote is theirs to move."""
    if content is not None and not profile.is_ours(content):
        todo = "Move it away, and put its settings into the variable nbserver_profile_options"
        raise NotebookError("was not written by hpcc.notebook", path, todo)
    refuse_other_home(path, content or b"")


def refuse_recorded_servers(layout: Layout, records: Sequence[str]) -> None:
    """A server that still runs would lose its certificate under its feet."""
    hosts = [name[: -len(".json")] for name in records if name.endswith(".json")]
    if hosts:
        todo = f"Stop it first; when {hosts[0]} is gone for good, remove run/{hosts[0]}.json"
        raise NotebookError(f"a server is recorded on {', '.join(hosts)}", layout.directory, todo)


def refuse_open_directory(path: str, mode: int) -> None:
    """Where everybody can write, somebody else's files are soon in the place of ours."""
    if mode & stat.S_IWOTH:
        raise NotebookError(
            "everybody can write to it",
            path,
            f"Choose another, or close it: chmod o-w {quote(path)}",
        )


def group_warnings(path: str, mode: int) -> list[str]:
    """What works, but lets the person's group put something else in the profile's place."""
    writable = mode & stat.S_IWGRP
    return (
        [f"{path}: its group can write to it. Close it: chmod g-w {quote(path)}"]
        if writable
        else []
    )


def _differences(layout: Layout, steps: Sequence[Step]) -> Iterator[dict[str, str]]:
    """A list of what changes, then the text of each file that is rendered."""
    if steps:
        before = "".join(f"{step.name}: {step.reason}\n" for step in steps)
        after = "".join(f"{step.name}: {_outcome(step)}\n" for step in steps)
        yield _difference(layout.directory, before, after)
    for step in steps:
        if step.before != step.after:
            yield _difference(layout.at(step.name), step.before, step.after)


def _difference(header: str, before: str, after: str) -> dict[str, str]:
    return {
        "before_header": header,
        "after_header": header,
        "before": before,
        "after": after,
    }


def _outcome(step: Step) -> str:
    return "absent" if step.reason == REMOVED else "as wanted, for its owner only"

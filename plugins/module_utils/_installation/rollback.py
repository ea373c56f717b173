# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going back to the generation before, and removing everything. Pure: what was seen goes in."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import STOP
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.plan import (
    REMOVE,
    ROLLBACK,
    Plan,
)


def roll_back(seen: Observed) -> Plan:
    """The plan that makes the generation live that was so before; done once, not at every run."""
    turn = seen.turn if seen.turn.get("to") == seen.live else {}
    if seen.live and turn.get("back") == "yes":
        return Plan("", f"{seen.live} is live again, after {turn.get('from')}", seen.live)
    target = before(seen)
    if not target:
        raise NotebookError(
            what=f"there is no complete generation before {seen.live or 'the first'}",
            where=seen.prefix,
            todo="Install another version with state: present instead.",
        )
    return Plan(ROLLBACK, f"going back from {seen.live or 'nothing'} to {target}", target)


def before(seen: Observed) -> str:
    """The complete generation that was live before; the newest other one when nobody knows."""
    turn = seen.turn if seen.turn.get("to") == seen.live else {}
    others = {name: marker for name, marker in seen.complete.items() if name != seen.live}
    if turn.get("from") in others:
        return turn["from"]
    return max(others, key=lambda name: others[name].get("date", ""), default="")


def remove(seen: Observed) -> Plan:
    """The plan that removes what we made, and refuses as long as something runs from it."""
    if not seen.ours and seen.what != "generation":
        return Plan("", "there is nothing of ours", "")
    _refuse_use(seen)
    return Plan(REMOVE, f"removing {seen.live or 'what an earlier run left'}", "")


def doubt(seen: Observed) -> str:
    """What is said of processes that may run from it; everybody can name a path of somebody else.

    So they forbid nothing, or anybody could forbid everything.
    """
    if not seen.hints:
        return ""
    return (
        f"{', '.join(seen.hints)} names {seen.prefix} in its arguments. Whether it runs from there "
        "cannot be seen, so it is not waited for; where people share the installation, ask them."
    )


def _refuse_use(seen: Observed) -> None:
    if seen.using:
        raise NotebookError(
            what=f"programs run from it: {' '.join(seen.using)}",
            where=seen.prefix,
            todo=f"Stop them; a notebook server by: {STOP}",
        )
    for found in seen.elsewhere:
        host, _space, path = found.partition(" ")
        raise NotebookError(
            what=f"a notebook server of it may be running on {host}",
            where=seen.prefix,
            todo=f"Stop it there by `{STOP}`; when that host is gone: rm {path}",
        )

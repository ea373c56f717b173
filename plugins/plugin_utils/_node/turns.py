# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of one person go one after the other, in the order of the play; people go at once.

The nodes of a person share her home: what one of them makes there, the next one has to see.
Ansible's own `throttle` would make everybody wait for everybody. Here each host of a task has a
process of its own; they meet in the directory that Ansible has for one run, and a lock of a
process that ends is free.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.processes import locked
from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import of_one_person
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed

GRACE = 2.0  # seconds for a host before this one to begin; one that the task skips never does
_AS_LONG_AS_IT_TAKES = 30 * 86400.0


class InTurn(ActionBase):
    """An action that one node of a person takes after the other."""

    def takes_turns(self) -> bool:
        """Whether it does with these arguments."""
        return True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Wait for the nodes before this one, and work."""
        queue = _queue(task_vars or {}) if self.takes_turns() else []
        place = Path(constants.DEFAULT_LOCAL_TMP) / f"turns-{self._task._uuid}"
        try:
            with turn(place, queue, str((task_vars or {}).get("inventory_hostname", ""))):
                result: dict[str, Any] = super().run(tmp, task_vars)
                return result
        except NotebookError as error:
            raise AnsibleActionFail(typed(str(error))) from None


def _queue(variables: Mapping[str, Any]) -> list[str]:
    hosts = list(variables.get("ansible_play_hosts", []))
    here = str(variables.get("inventory_hostname", ""))
    return of_one_person(hosts, variables["hostvars"], here) if here in hosts else []


@contextmanager
def turn(place: Path, queue: Sequence[str], here: str) -> Iterator[None]:
    """Be at work when those before in the queue have been, and nobody of it is."""
    if len(queue) < 2:
        yield
        return
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = place / _name(here)
    arriving = own.with_suffix(".new")
    with locked(str(arriving), _AS_LONG_AS_IT_TAKES):
        arriving.rename(own)  # whoever sees it finds it locked, until this one is done
        for host in queue[: queue.index(here)]:
            _wait_for(place / _name(host))
        with locked(str(place / f"{_name(queue[0])}.lock"), _AS_LONG_AS_IT_TAKES):
            yield


def _wait_for(before: Path) -> None:
    deadline = time.monotonic() + GRACE
    while not before.exists():
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)
    with locked(str(before), _AS_LONG_AS_IT_TAKES):
        pass


def _name(host: str) -> str:
    return hashlib.sha256(os.fsencode(host)).hexdigest()[:16]

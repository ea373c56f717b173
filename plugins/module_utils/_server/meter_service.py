# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: is loaded by the server, and tells an open page what is used of what it may."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import time
from functools import lru_cache
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._edges import quotas
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.meters import (
    AT,
    CPU_LIMIT,
    END,
    MEMORY_LIMIT,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import limits
from ansible_collections.hpcc.notebook.plugins.module_utils._server.usage import measured

_QUOTA_EVERY = 300.0  # seconds; a file server is everybody's


def shown() -> list[dict[str, object]]:
    """What the page shows now, in its order."""
    usage = measured(os.getpid(), _said(MEMORY_LIMIT), _said(CPU_LIMIT))
    return limits.meters({**vars(usage), **_home(int(time.monotonic() // _QUOTA_EVERY))})


def left() -> dict[str, float]:
    """How many seconds a job goes on: the clock of whoever looks may be set meanwhile."""
    end = os.environ.get(END)
    return {"left": json.loads(end)["at"] - time.time()} if end else {}


def _said(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else 0


@lru_cache(maxsize=1)
def _home(_period: int) -> dict[str, int]:
    person = pwd.getpwuid(os.getuid())
    return quotas.fields(quotas.at(os.environ.get("HOME") or person.pw_dir, person.pw_name))


def handlers() -> list[tuple[str, Any]]:
    """As Jupyter takes them; whoever has not logged in is refused."""
    from jupyter_server.auth.decorator import authorized
    from jupyter_server.base.handlers import APIHandler
    from tornado.web import authenticated

    class Meters(APIHandler):
        auth_resource = "status"
        _track_activity = False  # a page that only looks does not keep an idle server

        @authenticated
        @authorized
        async def get(self) -> None:
            loop = asyncio.get_running_loop()
            self.finish({"meters": await loop.run_in_executor(None, shown), **left()})

    return [(AT, Meters)]

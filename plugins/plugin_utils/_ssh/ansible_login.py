# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logins that Ansible keeps open for a while, and what the configuration had them forward.

Each of them listens on every port that the person's configuration forwards at a login. That is of
no use to Ansible, and may be the port that the tunnel begins at.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.listener import holder

_ANSWERS_WITHIN = 20.0
_MASTER = re.compile(r"ssh: (/.+) \[mux\]")  # what ssh calls itself when it is shared


def release(port: int, argv: Sequence[str], directory: Path) -> None:
    """Have Ansible's login by such a command stop listening there; nobody else's."""
    path = holds(port, directory)
    if path:
        # With the configuration: what that forwards is what is cancelled.
        ssh, *words = argv
        command = [ssh, "-S", path.replace("%", "%%"), "-O", "cancel", *words]
        subprocess.run(
            command, capture_output=True, check=False, timeout=_ANSWERS_WITHIN,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip


def holds(port: int, directory: Path) -> str:
    """The socket in Ansible's directory whose login listens on a port; empty when there is none."""
    found = holder(port)
    named = _MASTER.match(_title(found.pid)) if found else None
    return named[1] if named and Path(named[1]).parent == directory else ""


def _title(pid: int) -> str:
    argv = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told to type. Pure.

A command stands alone, or at the end behind a colon, or between backquotes: whoever copies it
copies nothing else.
"""

from __future__ import annotations

import re
import shlex
from typing import Sequence

SETUP = "ansible-playbook hpcc.notebook.setup"
START = "ansible-playbook hpcc.notebook.start"
OPEN = "ansible-playbook hpcc.notebook.open"
STOP = "ansible-playbook hpcc.notebook.stop"
DOCTOR = "ansible-playbook hpcc.notebook.doctor"
CONNECT = "ansible-playbook hpcc.notebook.connect"
STATUS = "ansible-playbook hpcc.notebook.status"
RESTART = f"{START} -e nbserver_state=restarted"
OVER = {kind: f"{RESTART} -e nbserver_transport={kind}" for kind in ("socket", "tcp")}
RENEW = f"{SETUP} && {RESTART}"


def on_node(command: str, then: str = "") -> str:
    """What is typed on the node, and then on this computer."""
    return f"on the node `{command}`, then here `{then}`" if then else f"on the node: {command}"


# What names an inventory itself, or was made by this, stays as it is.
_PLAYBOOK = re.compile(r"\bansible-playbook hpcc\.notebook\.\w+\b(?! (?:-i|--limit) )")


def as_called(text: str, options: Sequence[str]) -> str:
    """The text, in which each playbook is called for the same hosts as the one that runs."""
    added = "".join(f" {shlex.quote(word)}" for word in options)
    if not added or added in text:  # what was made by this stays as it is, too
        return text
    return _PLAYBOOK.sub(lambda found: found[0] + added, text)

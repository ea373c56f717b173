# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the person's ssh is configured to do at a login, as ssh itself says. Asks no host."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import config as ssh_config
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import shared_path
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.config import Settings
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import nobody
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import (
    NO_OTHER_COMMAND,
    SSH,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import program as ssh_of

_ANSWERS_WITHIN = 20.0
_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
# What keeps a login to itself, as ssh prints it; forwards are printed only where there are some.
_NARROW = {
    "stricthostkeychecking": ["true", "yes", "ask"],
    "forwardagent": ["no"],
    "forwardx11": ["no"],
    "tunnel": ["false", "no"],
    "permitlocalcommand": ["no"],
}


def settings(words: Sequence[str], program: str = SSH) -> Settings:
    """What ssh makes of the words behind its name."""
    said = asked(words, program)
    if said.returncode:
        if unable := nobody(said.stderr):
            raise unable.error()
        what = f"ssh does not accept how this host is reached: {said.stderr.strip()}"
        raise NotebookError(what, "ssh", "Correct that option or that line of its configuration.")
    return ssh_config.parse(said.stdout)


def asked(words: Sequence[str], program: str = SSH) -> subprocess.CompletedProcess[str]:
    """What ssh prints of its configuration for the words behind its name, or why it cannot."""
    return _said([program, "-G", *words])


def foreign_forwards(found: Settings, words: Sequence[str]) -> list[str]:
    """What the configuration forwards at a login besides what these words ask for."""
    ours = settings(["-F", "none", *_forwarding(words), "node"]).get("localforward", [])
    return [
        f"{name} {value}"
        for name in ("LocalForward", "RemoteForward", "DynamicForward")
        for value in found.get(name.lower(), [])
        if value not in ours
    ]


def _forwarding(words: Sequence[str]) -> list[str]:
    return [word for option, value in pairwise(words) if option == "-L" for word in (option, value)]


def shared_login(found: Settings) -> str:
    """The socket of a login that the person has opened and that ssh would use; else nothing."""
    path = shared_path.path(found)
    return path if stands(path) else ""


def stands(path: str) -> bool:
    """Whether a login of this person is there."""
    return (
        _owner(path) == os.geteuid()
        and _said([*through(path), "-O", "check", "node"]).returncode == 0
    )


def narrow(found: Settings) -> bool:
    """Whether a login by this configuration proves the host, and carries nothing but itself."""
    kept = all(found.get(name, values)[0] in values for name, values in _NARROW.items())
    return kept and not any(name in found for name in ssh_config.FORWARDS)


def why_not_shared(found: Settings, words: Sequence[str], program: str = SSH) -> str | None:
    """Why the login that ssh itself would share is not the one that these words ask for."""
    path = shared_path.path(found)
    if _owner(path) not in (None, os.geteuid()):
        return f"The shared login at {path} belongs to another user: it is not used."
    if shared_login(found) and may_lead_elsewhere(words, program):
        return (
            f"The shared login at {path} may lead to another cluster, which that name does not "
            "tell: it is not used (docs/login.md)."
        )
    return None


def may_lead_elsewhere(words: Sequence[str], program: str = SSH) -> bool:
    """Whether a login that ssh would share with these words may end on another node."""
    return shared_path.may_lead_elsewhere(words, lambda asked: settings(asked, program))


def through(path: str) -> list[str]:
    """ssh by way of an open login, and by that alone: no configuration adds anything."""
    return [SSH, "-F", "none", "-S", path.replace("%", "%%")]


def _owner(path: str) -> int | None:
    """Whose socket it is; None where there is none."""
    try:
        seen = Path(path).lstat()
    except OSError:
        return None
    return seen.st_uid if stat.S_ISSOCK(seen.st_mode) else None


def why_ansible_cannot(known: Mapping[str, Any]) -> str | None:
    """Why the commands of Ansible would hang or fail, whatever host it is; None when they run."""
    words = [word for name in _ARGUMENTS for word in shlex.split(str(known.get(name) or ""))]
    host = known.get("ansible_host") or known.get("ansible_ssh_host") or known["inventory_hostname"]
    found = settings([*words, str(host)], ssh_of(known))
    if found.get("requesttty") == ["force"]:
        return _cure("RequestTTY force", "would wait for ever at a terminal", "RequestTTY=no")
    if found.get("remotecommand", ["none"]) != ["none"]:
        return _cure("RemoteCommand", "cannot be run beside that one", NO_OTHER_COMMAND)
    return None


def _cure(setting: str, effect: str, option: str) -> str:
    return (
        f"{setting} in the configuration of ssh holds for this host: what Ansible runs there "
        f"{effect}. Add -o {option} to ansible_ssh_common_args."
    )


def _said(argv: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=_ANSWERS_WITHIN,
            stdin=subprocess.DEVNULL, errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        todo = "Install OpenSSH."
        raise NotebookError("no such program", argv[0], todo) from error
    except subprocess.TimeoutExpired as error:
        what = f"it does not read its configuration within {_ANSWERS_WITHIN:g} s"
        raise NotebookError(what, "ssh", "Look for a Match exec that hangs.") from error

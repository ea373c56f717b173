# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why Ansible's ssh did not reach a host: one more login, whose words come from ssh alone.

What Ansible has heard is mixed with what servers print, and a banner may hold any sentence of ssh.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import faults
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import Fault
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import ONLY_OUR_COMMAND, Way
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.askpass import (
    Askpass,
    private_directory,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_log import SshLog, real_ssh

# As Ansible logs in: without a password of the person. What opens no login shares none, either.
_OPTIONS = """
    -n -x -o ControlMaster=no -o PermitLocalCommand=no -o NumberOfPasswordPrompts=0
    -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no
"""
_NOTHING = ":"  # which every shell knows
_AFTER_CONNECTING = 15.0  # seconds for the login itself
_FAILED = 255
# What ssh says before any server has said a word.
_NOBODY_THERE = re.compile(r"ssh: (?:Could not resolve hostname|connect to host) .*")
# … and what a login that shares nothing does not meet.
_LONG_SOCKET = re.compile(
    r"unix_listener: .*too long for Unix domain socket|ControlPath too long .*"
)


def fault(heard: str, way: Way, seconds: int) -> Fault:
    """What keeps this computer from the host.

    Args:
        heard: what ssh, and perhaps a server, said to Ansible.
        way: how Ansible gets there.
        seconds: how long a connection may take.
    """
    if _NOBODY_THERE.fullmatch(heard.strip()):
        return faults.diagnose(heard.strip())
    return tried(way, seconds) or _lost(heard, way)


def tried(way: Way, seconds: int) -> Fault | None:
    """Log in once, and do nothing there; None when that works. Nobody is asked anything."""
    refused: list[str] = []

    def refuse(question: str, kind: str) -> str | None:  # noqa: ARG001 - as askpass asks
        refused.append(question)
        return None

    with private_directory() as name:
        log = SshLog(Path(name) / "log", lambda _line: None, way.program)
        askpass = Askpass(Path(name), refuse)
        log.open()
        try:
            code = _login(way, seconds, log, askpass)
        finally:
            log.close()
            askpass.close()
    return faults.diagnose(log.text, refused) if code == _FAILED else None


def _login(way: Way, seconds: int, log: SshLog, askpass: Askpass) -> int:
    options = [*_OPTIONS.split(), *ONLY_OUR_COMMAND, "-o", f"ConnectTimeout={seconds}"]
    try:
        return subprocess.run(
            log.command(*options, *way.words(), _NOTHING), executable=real_ssh(way.program),
            env=log.environment(askpass.environment()), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            timeout=seconds + _AFTER_CONNECTING, start_new_session=True,
        ).returncode  # fmt: skip
    except subprocess.TimeoutExpired:
        return _FAILED


def _lost(heard: str, way: Way) -> Fault:
    """It was reached in the end, by a login that shares none."""
    last = (heard.strip().splitlines() or ["no word of ssh"])[-1]
    if _LONG_SOCKET.fullmatch(last.strip()):
        return faults.diagnose(last.strip())
    what = f"the connection was lost ({printable(last.strip())}), and a new login works"
    return Fault(what, way.node.host, "Run the same again.", passing=True)

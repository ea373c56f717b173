# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at on the person's own computer. Pure."""

from __future__ import annotations

import re
import shlex

from ansible_collections.hpcc.notebook.plugins.module_utils._common.versions import version
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    Finding,
    Seen,
    ok,
    warning,
    wrong,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import nobody

_JUMPS = (7, 3)  # ssh -J; sockets are forwarded since 6.7
_ASKS = (8, 4)  # asks through a program without a display
_LONGEST = 85  # of 104 bytes: ssh adds 17 while it makes the socket


def ssh(seen: Seen) -> Finding | None:
    """The version of ssh."""
    if unable := nobody(seen.one("ssh")):
        return wrong("ssh", unable.what, unable.todo)
    found = re.search(r"OpenSSH\S*?_([0-9.]+\S*)", seen.one("ssh"))
    if not found:
        return wrong("ssh", "there is no OpenSSH on this computer", "install OpenSSH")
    if version(found[1]) < _JUMPS:
        return wrong("ssh", f"OpenSSH {found[1]} cannot jump (7.3 can)", "update OpenSSH")
    if version(found[1]) < _ASKS:
        what = f"OpenSSH {found[1]} may not be able to ask for passwords here"
        return warning("ssh", what, "update OpenSSH to 8.4, or log in first: docs/login.md")
    return ok("ssh", f"OpenSSH {found[1]}")


def configuration(seen: Seen) -> Finding | None:
    """Whether ssh can read what it is configured with."""
    error = seen.one("config_error")
    if nobody(error):
        return None  # said already
    if error:
        return wrong("ssh configuration", error, "correct that line")
    return ok("ssh configuration", "can be read") if seen.one("hostname") else None


def keys(seen: Seen) -> Finding | None:
    """Whether there is a key to log in with."""
    in_agent, files = seen.number("agent_keys") or 0, seen.all("identity")
    if in_agent or files:
        return ok("keys", f"{in_agent:.0f} in the agent, {len(files)} in files")
    what = "none in the agent and none in the files that ssh looks at: it will ask for a password"
    todo = "make one and let the node know it: ssh-keygen -t ed25519 && ssh-copy-id NODE"
    return warning("keys", what, todo)


def key_modes(seen: Seen) -> Finding | None:
    """ssh ignores keys that others can read."""
    bad = [line.rpartition(" ")[0] for line in seen.all("identity") if _others_may(line)]
    if bad:
        typed = f"chmod 600 {shlex.quote(bad[0])}"
        return wrong("key files", f"others can read {bad[0]}: ssh ignores it", typed)
    return ok("key files", "only you can read them") if seen.all("identity") else None


def _others_may(line: str) -> bool:
    mode = line.rpartition(" ")[2]
    return re.fullmatch("[0-7]{1,4}", mode) is not None and int(mode, 8) & 0o077 != 0


def control_path(seen: Seen) -> Finding | None:
    """A path that is too long fails without a word that helps."""
    path = seen.one("control_path")
    if not path or path == "none":
        return None
    length = len(path.encode())
    if length > _LONGEST:
        what = f"the path {path} has {length} bytes, {_LONGEST} are safe"
        return wrong("shared login", what, "put this into ~/.ssh/config: ControlPath ~/.ssh/%C")
    if seen.one("control_path_open") == "yes":
        what = (
            f"others may write where {path} lies: ssh would take a socket of theirs for your login"
        )
        return warning("shared login", what, "put this into ~/.ssh/config: ControlPath ~/.ssh/%C")
    if seen.one("control_path_elsewhere") == "yes":
        return ok("shared login", f"none is used: {path} does not tell which cluster it leads to")
    return ok("shared login", f"ssh keeps one at {path}")


def host_keys(seen: Seen) -> Finding | None:
    """Whether ssh looks at the keys of hosts."""
    strict = seen.one("strict_host_keys")
    if strict in ("false", "no", "off"):
        what = "ssh takes any (StrictHostKeyChecking no): whoever sits in between is not noticed"
        return warning("host keys", what, "remove StrictHostKeyChecking no")
    return ok("host keys", "are checked") if strict else None


def agent_forwarding(seen: Seen) -> Finding | None:
    """Root of the gateway can use an agent that is forwarded there."""
    if seen.one("forward_agent") not in ("", "no"):
        what = "ssh forwards it to the node, where root could log in as you elsewhere"
        return warning("agent", what, "remove ForwardAgent; -J does without it")
    return ok("agent", "stays on this computer") if seen.one("forward_agent") else None


def local_port(seen: Seen) -> Finding | None:
    """Whether the tunnel can begin here."""
    port, holder = seen.one("local_port"), seen.one("local_port_holder")
    if seen.one("local_port_free") == "yes":
        return ok("local port", f"{port} is free")
    if not port:
        return None
    if seen.one("local_port_ansibles") == "yes":
        what = (
            f"{port} is held by Ansible's own {holder}, by your LocalForward; connect takes it back"
        )
        return ok("local port", what)
    if holder.startswith("ssh ") and not _is_configured(port, seen):
        return ok("local port", f"{port} is held by {holder}: perhaps by an open tunnel")
    what = f"{port} is taken by {holder or 'another program'}"
    return warning("local port", what, "choose another: -e nbserver_local_port=PORT")


def _is_configured(port: str, seen: Seen) -> bool:
    """Whether each login to the node forwards that port."""
    listening = (value.partition(" ")[0].rpartition(":")[2] for value in seen.all("local_forward"))
    return port in listening


def clock(seen: Seen) -> Finding | None:
    """Certificates and codes need clocks that agree."""
    apart = seen.number("clock_difference")
    if apart is None:
        return None
    if abs(apart) > 3600:
        what = f"this computer and the node are {abs(apart) / 3600:.1f} hours apart"
        return wrong("clock", what, "set the clock: a fresh certificate would not be valid yet")
    if abs(apart) > 60:
        return warning("clock", f"{abs(apart):.0f} s apart from the node", "set the clock")
    return ok("clock", "agrees with the node")


CHECKS = (
    ssh,
    configuration,
    keys,
    key_modes,
    control_path,
    host_keys,
    agent_forwarding,
    local_port,
    clock,
)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at in the profile and its server. Pure."""

from __future__ import annotations

import re
from shlex import quote
from typing import Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import reason_in
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    HOME,
    Finding,
    Seen,
    ok,
    unwritten_place,
    warning,
    wrong,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.secrets import hash_cost

_SETUP = "ansible-playbook hpcc.notebook.setup"
_START = "ansible-playbook hpcc.notebook.start"
_RESTART = f"{_START} -e nbserver_state=restarted"
_SOON = 14  # days


def profile(seen: Seen) -> Finding | None:
    """Whether the profile is there and nobody else can enter it."""
    state, path = seen.one("profile"), seen.one("profile_dir")
    if state == "missing":
        return wrong("profile", f"there is none at {path}", _SETUP)
    if state == "foreign":
        todo = "ask the site how it came there; then remove it and run setup"
        return wrong("profile", f"{path} belongs to somebody else", todo)
    if state and state != "700":
        return wrong("profile", f"others can enter {path} ({state})", _SETUP)
    return ok("profile", path) if state else None


def exposed(seen: Seen) -> Finding | None:
    """Files of the profile that others may read."""
    files = seen.all("exposed")
    if files:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        return wrong("files of the profile", f"others can read {files[0]}{more}", _SETUP)
    return ok("files of the profile", "yours alone") if _there(seen) else None


def odd_files(seen: Seen) -> Finding | None:
    """What is no file where one is expected: start refuses it, Jupyter would wait for ever."""
    files = seen.all("odd")
    if files:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        what = f"{files[0]}{more} is no regular file"
        return wrong("kinds of files", what, f"move it away, then {_SETUP}")
    return ok("kinds of files", "as expected") if _there(seen) else None


def writable(seen: Seen) -> Finding | None:
    """A start leaves a record and a log."""
    if unwritten_place(seen) == HOME:
        return None  # it lies there
    if seen.one("unwritable"):
        path = seen.one("unwritable")
        return wrong("writing to the profile", f"you cannot write to {path}", f"chmod 700 {path}")
    return ok("writing to the profile", "allowed") if _there(seen) else None


def _there(seen: Seen) -> bool:
    return seen.one("profile") not in ("", "missing")


def configuration(seen: Seen) -> Finding | None:
    """Jupyter skips a configuration that it cannot read, and the password with it."""
    said = seen.one("config")
    if said and said != "ok":
        return wrong("server configuration", said, _SETUP)
    reason = reason_in(seen.one("options")) if seen.one("options") else None
    if reason and not unwritten_place(seen):
        path = f"{seen.one('profile_dir')}/jupyter_server_config.py"
        what = f"the installed Jupyter does not take it: {reason}"
        return wrong("server configuration", what, f"correct nbserver_profile_options, or {path}")
    return ok("server configuration", "can be read") if said else None


def password(seen: Seen) -> Finding | None:
    """Whether there is a password, hashed as it should be."""
    said = seen.one("password")
    if said == "none":
        return wrong("password", "none is set", _SETUP)
    if not said:
        return None
    cost = re.fullmatch(r"argon2id m=([0-9]{1,9}) t=([0-9]{1,9}) p=([0-9]{1,9})", said)
    if not cost:
        return wrong("password", f"its hash is weak: {said}", f"{_SETUP} with a new password")
    reason = hash_cost(*map(int, cost.groups()))
    if reason:
        return warning("password", f"its hash {reason}", f"{_SETUP} with a new password")
    return ok("password", f"hashed ({said})")


def certificate(seen: Seen) -> Finding | None:
    """How long the certificate lasts."""
    until, now = seen.number("certificate_until"), seen.number("now")
    if until is None or now is None:
        if _there(seen) and seen.one("python"):
            said = seen.one("certificate_error")
            what = f"cannot be read: {said}" if said else "there is none, or it cannot be read"
            return wrong("certificate", what, _SETUP)
        return None
    days = int((until - now) // 86400)
    if days < 0:
        return wrong("certificate", f"expired {-days} days ago", f"{_SETUP}, then {_RESTART}")
    if days < _SOON:
        return warning("certificate", f"expires in {days} days", f"{_SETUP}, then {_RESTART}")
    return ok("certificate", f"{days} days left")


def key(seen: Seen) -> Finding | None:
    """Whether the key belongs to the certificate."""
    said = seen.one("key")
    if said and said != "ok":
        return wrong("key", said, _SETUP)
    return ok("key", "belongs to the certificate") if said else None


def token(seen: Seen) -> Finding | None:
    """stop and restart need it to be gentle."""
    if seen.one("token") == "missing":
        return wrong("token", "there is none: the server cannot be stopped gently", _SETUP)
    if seen.one("token") == "cut":
        return wrong(
            "token", "is cut off", f"rm {seen.one('profile_dir')}/security/token, {_SETUP}"
        )
    return ok("token", "is there") if seen.one("token") else None


def server(seen: Seen) -> Finding | None:
    """What runs here."""
    state, what = seen.one("server"), seen.one("server_version")
    if state == "running":
        return ok("server", f"{what} on {seen.one('host')} since {seen.one('server_since')}")
    if state == "gone":
        return warning("server", f"the one of {seen.one('server_since')} is gone", _START)
    if state == "rebooted":
        return warning("server", "the node was rebooted since its start", _START)
    if state == "unrecorded":
        found = f"process {seen.one('server_pid')} serves, but no record speaks of it"
        return warning("server", found, _START)
    if state == "damaged record":
        path = seen.one("server_record")
        return wrong("server", f"its record cannot be read: {path}", f"rm {path}, then {_START}")
    return ok("server", "none was started here") if state == "none" else None


def served(seen: Seen) -> Finding | None:
    """Whether it answers, with the certificate of the profile."""
    shown, wanted = seen.one("served_sha256"), seen.one("certificate_sha256")
    if seen.one("server") != "running":
        return None
    if not shown:
        return wrong("answer", f"the server says nothing: {seen.one('served_error')}", _RESTART)
    if shown != wanted:
        return warning("answer", "it shows another certificate than the profile's", _RESTART)
    return ok("answer", "it shows the profile's certificate")


def session(seen: Seen) -> Finding | None:
    """Whether tmux still has it."""
    if seen.one("server") != "running" or not seen.one("session"):
        return None
    if seen.one("session") == "lost":
        what = "tmux cannot be reached any more; the server goes on"
        return warning("tmux session", what, "pkill -USR1 -u $USER tmux recreates its socket")
    return ok("tmux session", "is there")


def elsewhere(seen: Seen) -> Finding | None:
    """Servers on other nodes that share this home."""
    hosts = ", ".join(seen.all("elsewhere"))
    return ok("other nodes", f"servers are noted on {hosts}") if hosts else None


def port(seen: Seen) -> Finding | None:
    """The port on the node, where one is needed."""
    number, holder = seen.one("node_port"), seen.one("node_port_holder")
    if seen.one("transport") != "tcp" or not holder:
        return None
    if holder == "free":
        return ok("port of the node", f"{number} is free")
    if holder == seen.one("uid"):
        return ok("port of the node", f"{number} is yours")
    todo = "choose another: -e nbserver_port=PORT"
    return wrong("port of the node", f"{number} belongs to uid {holder}", todo)


def root_directory(seen: Seen) -> Finding | None:
    """Jupyter serves without it, and says "Unhandled error" to whoever looks."""
    state, path = seen.one("root_dir_state"), seen.one("root_dir")
    if state == "gone":
        return wrong("root directory", f"there is no {path}", _SETUP)
    if state == "closed":
        return wrong("root directory", f"you may not list {path}", f"chmod u+rx {quote(path)}")
    return ok("root directory", path) if state else None


def kernel(seen: Seen) -> Finding | None:
    """Whether a kernel has computed 1 + 1."""
    said = seen.one("kernel")
    if not said:
        return None
    reason = reason_in(said)
    if reason is None:
        return ok("kernel", "computed 1 + 1")
    if unwritten_place(seen):
        what = f"it needs to write, and perhaps fails for that alone: {reason}"
        return warning("kernel", what, f"see what stands above of the {unwritten_place(seen)}")
    return wrong("kernel", f"{reason}", f"{_SETUP}; it asks nbserver_profile_python for a kernel")


QUESTIONS: Mapping[str, str] = {}
CHECKS = (
    profile,
    exposed,
    odd_files,
    writable,
    configuration,
    password,
    certificate,
    key,
    token,
    server,
    served,
    session,
    elsewhere,
    port,
    root_directory,
    kernel,
)

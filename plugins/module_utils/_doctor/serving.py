# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at in the profile and its server. Pure."""

from __future__ import annotations

import re
from shlex import quote
from typing import Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import reason_in
from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import (
    RENEW,
    RESTART,
    SETUP,
    START,
    on_node,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    HOME,
    Finding,
    Seen,
    ok,
    unwritten_place,
    warning,
    wrong,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import SERVER_CONFIG
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.secrets import hash_cost

_SOON = 14  # days


def profile(seen: Seen) -> Finding | None:
    """Whether the profile is there and nobody else can enter it."""
    state, path = seen.one("profile"), seen.one("profile_dir")
    if state == "missing":
        return wrong("profile", f"there is none at {path}", SETUP)
    if state == "foreign":
        todo = "ask the site how it came there; then remove it and run setup"
        return wrong("profile", f"{path} belongs to somebody else", todo)
    if state and state != "700":
        return wrong("profile", f"others can enter {path} ({state})", SETUP)
    return ok("profile", path) if state else None


def exposed(seen: Seen) -> Finding | None:
    """Files of the profile that others may read."""
    files = seen.all("exposed")
    if files:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        typed = on_node(f"chmod -R go= {quote(seen.one('profile_dir'))}")
        return wrong("files of the profile", f"others can read {files[0]}{more}", typed)
    return ok("files of the profile", "yours alone") if _there(seen) else None


def odd_files(seen: Seen) -> Finding | None:
    """What is no file where one is expected: start refuses it, Jupyter would wait for ever."""
    files = seen.all("odd")
    if files:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        what = f"{files[0]}{more} is no regular file"
        return wrong("kinds of files", what, f"move it away, then: {SETUP}")
    return ok("kinds of files", "as expected") if _there(seen) else None


def writable(seen: Seen) -> Finding | None:
    """A start leaves a record and a log."""
    if unwritten_place(seen) == HOME:
        return None  # it lies there
    if seen.one("unwritable"):
        path = seen.one("unwritable")
        return wrong(
            "writing to the profile",
            f"you cannot write to {path}",
            on_node(f"chmod 700 {quote(path)}"),
        )
    return ok("writing to the profile", "allowed") if _there(seen) else None


def _there(seen: Seen) -> bool:
    return seen.one("profile") not in ("", "missing")


def configuration(seen: Seen) -> Finding | None:
    """Jupyter skips a configuration that it cannot read, and the password with it."""
    said = seen.one("config")
    if said and said != "ok":
        return wrong("server configuration", said, SETUP)
    reason = reason_in(seen.one("options")) if seen.one("options") else None
    if reason and not unwritten_place(seen):
        path = f"{seen.one('profile_dir')}/{SERVER_CONFIG}"
        what = f"the installed Jupyter does not take it: {reason}"
        return wrong("server configuration", what, f"correct nbserver_profile_options, or {path}")
    return ok("server configuration", "can be read") if said else None


def password(seen: Seen) -> Finding | None:
    """Whether there is a password, hashed as it should be."""
    said = seen.one("password")
    if said == "none":
        return wrong("password", "none is set", SETUP)
    if not said:
        return None
    cost = re.fullmatch(r"argon2id m=([0-9]{1,9}) t=([0-9]{1,9}) p=([0-9]{1,9})", said)
    if not cost:
        return wrong("password", f"its hash is weak: {said}", f"set a new password: {SETUP}")
    reason = hash_cost(*map(int, cost.groups()))
    if reason:
        return warning("password", f"its hash {reason}", f"set a new password: {SETUP}")
    return ok("password", f"hashed ({said})")


def certificate(seen: Seen) -> Finding | None:
    """How long the certificate lasts."""
    until, now = seen.number("certificate_until"), seen.number("now")
    if until is None or now is None:
        if _there(seen) and seen.one("python"):
            said = seen.one("certificate_error")
            what = f"cannot be read: {said}" if said else "there is none, or it cannot be read"
            return wrong("certificate", what, SETUP)
        return None
    days = int((until - now) // 86400)
    if days < 0:
        return wrong("certificate", f"expired {-days} days ago", RENEW)
    if days < _SOON:
        return warning("certificate", f"expires in {days} days", RENEW)
    return ok("certificate", f"{days} days left")


def key(seen: Seen) -> Finding | None:
    """Whether the key belongs to the certificate."""
    said = seen.one("key")
    if said and said != "ok":
        return wrong("key", said, SETUP)
    return ok("key", "belongs to the certificate") if said else None


def token(seen: Seen) -> Finding | None:
    """stop and restart need it to be gentle."""
    if seen.one("token") == "missing":
        return wrong("token", "there is none: the server cannot be stopped gently", SETUP)
    if seen.one("token") == "cut":
        typed = f"rm {quote(seen.one('profile_dir'))}/security/token"
        return wrong("token", "is cut off", on_node(typed, SETUP))
    return ok("token", "is there") if seen.one("token") else None


def server(seen: Seen) -> Finding | None:
    """What runs here."""
    state, what = seen.one("server"), seen.one("server_version")
    if state == "running":
        here = f"{what} on {seen.one('host')} since {seen.one('server_since')}"
        newer = seen.one("newer")
        return warning("server", f"{here}: {newer}", RESTART) if newer else ok("server", here)
    if state == "gone":
        return warning("server", f"the one of {seen.one('server_since')} is gone", START)
    if state == "rebooted":
        return warning("server", "the node was rebooted since its start", START)
    if state == "unrecorded":
        found = f"process {seen.one('server_pid')} serves, but no record speaks of it"
        return warning("server", found, START)
    if state == "damaged record":
        path = seen.one("server_record")
        return wrong(
            "server", f"its record cannot be read: {path}", on_node(f"rm {quote(path)}", START)
        )
    return ok("server", "none was started here") if state == "none" else None


def served(seen: Seen) -> Finding | None:
    """Whether it answers, with the certificate of the profile."""
    shown, wanted = seen.one("served_sha256"), seen.one("certificate_sha256")
    if seen.one("server") != "running":
        return None
    if not shown:
        said = seen.one("served_lost") or f"the server says nothing: {seen.one('served_error')}"
        return wrong("answer", said, RESTART)
    if shown != wanted:
        return warning("answer", "it shows another certificate than the profile's", RESTART)
    return ok("answer", "it shows the profile's certificate")


def session(seen: Seen) -> Finding | None:
    """Whether tmux still has it."""
    if seen.one("server") != "running" or not seen.one("session"):
        return None
    if seen.one("session") == "lost":
        what = "the socket of its tmux is gone; start makes it again, and the server goes on"
        return warning("tmux session", what, START)
    return ok("tmux session", "is there")


def elsewhere(seen: Seen) -> Finding | None:
    """Servers on other nodes that share this home; whether those live cannot be seen from here."""
    noted, unresolved = seen.all("elsewhere"), seen.all("unresolved")
    if not noted:
        return None
    host = next(iter(unresolved or noted))
    typed = on_node(f"rm {quote(seen.one('profile_dir'))}/run/{quote(host)}.json")
    todo = f"if {host} is gone for good, forget it; {typed}"
    if unresolved:
        what = f"a server is noted on {host}, a name that this node cannot resolve"
        return warning("other nodes", what, todo)
    return ok("other nodes", f"servers are noted on {', '.join(noted)}", todo)


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
        return wrong("root directory", f"there is no {path}", SETUP)
    if state == "closed":
        return wrong(
            "root directory", f"you may not list {path}", on_node(f"chmod u+rx {quote(path)}")
        )
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
    return wrong("kernel", f"{reason}", f"let it ask nbserver_profile_python for a kernel: {SETUP}")


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

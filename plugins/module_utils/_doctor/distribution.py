# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at in the installation and its modulefile. Pure."""

from __future__ import annotations

from shlex import quote
from typing import Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import SETUP, on_node
from ansible_collections.hpcc.notebook.plugins.module_utils._common.versions import version
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    Finding,
    Seen,
    ok,
    warning,
    wrong,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import record
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import FRONTENDS

_OTHER_NAME = "set another lmod_module_name and run setup"
# The oldest versions without vulnerabilities that matter to a notebook on a shared node.
FLOORS = {
    "jupyter_server": "2.21.0",  # CVE-2026-40934: a cookie outlives the password; -44727, -86049
    "jupyterlab": "4.4.8",  # CVE-2024-43805, CVE-2025-59842: a notebook runs code in the page
    "notebook": "7.2.2",  # CVE-2024-43805
    "tornado": "6.5",  # CVE-2025-47287: a request fills the log and stops the server
    "jinja2": "3.1.6",  # CVE-2025-27516
}
_FRONTENDS = [frontend.distribution for frontend in FRONTENDS.values()]
# What serves notebooks and what that stands on, as `pip` names it: the node tells the versions.
NAMES = [*dict.fromkeys([*FLOORS, *_FRONTENDS, "ipykernel", "ipyparallel", "cryptography"])]


def installation(seen: Seen) -> Finding | None:
    """Whether the distribution is there and whole."""
    state, prefix = seen.one("installation"), seen.one("prefix")
    if state == "complete":
        return ok("installation", f"{seen.one('generation')} at {prefix}{_read_only(seen)}")
    if state == "foreign":
        return warning("installation", f"{prefix} was not made by this collection", SETUP)
    if state == "untrusted":
        return wrong("installation", seen.one("untrusted"), seen.one("untrusted_todo"))
    if state == "missing":
        return wrong("installation", f"there is none at {prefix}", SETUP)
    return wrong("installation", f"{prefix} is not complete", SETUP) if state else None


def _read_only(seen: Seen) -> str:
    """So that nobody stumbles over it: what cannot be installed where, and what can."""
    owner = seen.one("base_owner")
    own = "`conda create -n NAME` and `pip install --user` go to your home"
    return f"; it belongs to {owner} and is read-only to you: {own}" if owner else ""


def python(seen: Seen) -> Finding | None:
    """Whether its Python runs."""
    if seen.one("installation") in ("", "missing", "untrusted"):
        return None
    found = seen.one("python")
    return ok("Python", found) if found else wrong("Python", "does not run", SETUP)


def files(seen: Seen) -> Finding | None:
    """Whether every file is whole that the packages' own records name."""
    found = [record(line) for line in (*seen.all("damaged"), *seen.all("lost"))]
    if not seen.one("python"):
        return None
    if found:
        each = (f"{one['files']} of {one['name']} (such as {one['path']})" for one in found)
        return wrong("files", f"missing or empty: {', '.join(each)}", SETUP)
    return ok("files", "all that the packages' records name")


def unfinished(seen: Seen) -> Finding | None:
    """Something that was cut off, or that still goes on."""
    lock = seen.one("lock")
    if lock:
        typed = on_node(f"rm {quote(seen.one('prefix'))}.d/lock")
        todo = f"wait for it; when it cannot be running any more, {typed}"
        return warning("installing", f"is going on: {lock}", todo)
    if seen.one("changing"):
        return warning("installing", "a change of the packages was cut off", SETUP)
    return ok("installing", "nothing is going on") if seen.one("prefix") else None


def leases(seen: Seen) -> Finding | None:
    """Who keeps an older generation from being removed."""
    held = "; ".join(seen.all("lease"))
    return ok("older versions", f"{held}; it stays until then") if held else None


def _versions(seen: Seen) -> dict[str, str]:
    pairs = (line.partition(" ") for line in seen.all("package"))
    return {name.lower().replace("-", "_"): number for name, _space, number in pairs}


def frontends(seen: Seen) -> Finding | None:
    """Whether there is something to serve."""
    versions = _versions(seen)
    found = [f"{name} {versions[name]}" for name in _FRONTENDS if name in versions]
    if not seen.one("python"):
        return None
    return ok("front ends", ", ".join(found)) if found else wrong("front ends", "none", SETUP)


def vulnerable(seen: Seen) -> Finding | None:
    """Versions with known vulnerabilities."""
    versions = _versions(seen)
    old = [
        f"{name} {versions[name]} (safe from {floor})"
        for name, floor in FLOORS.items()
        if name in versions and version(versions[name]) < version(floor)
    ]
    if old:
        return wrong("known vulnerabilities", ", ".join(old), SETUP)
    return ok("known vulnerabilities", "none in what serves notebooks") if versions else None


def modulefile(seen: Seen) -> Finding | None:
    """Whether the modulefile is there and brings this installation."""
    path, loads = seen.one("modulefile"), seen.one("module_python")
    if seen.one("modules") in ("", "none"):
        return None
    if seen.one("modules_dir_closed"):
        what = f"nothing can be written to {seen.one('modules_dir')}: setup would fail there"
        typed = on_node(f"chmod u+wx {quote(seen.one('modules_dir'))}")
        return warning("modulefile", what, typed)
    if path == "missing":
        return warning("modulefile", f"there is none in {seen.one('modules_dir')}", SETUP)
    wanted = f"{seen.one('prefix')}/bin/python"
    found = seen.one("module_file")
    if found and found != path:
        what = f"`module load` finds {found} first, and never {path}"
        return wrong("modulefile", what, f"move one of them away, or {_OTHER_NAME}")
    if loads != wanted:
        what = f"after loading it, python is {loads or 'not found'}, not {wanted}"
        return wrong("modulefile", what, SETUP)
    return ok("modulefile", f"{path} loads")


def spider_cache(seen: Seen) -> Finding | None:
    """Lmod may not know of a modulefile that is younger than its cache."""
    if seen.one("spider_cache") == "stale":
        what = "Lmod's own list is older than the modulefile"
        return warning("module cache", what, on_node("rm -rf ~/.cache/lmod ~/.lmod.d/.cache"))
    return ok("module cache", "not in the way") if seen.one("spider_cache") else None


QUESTIONS: Mapping[str, str] = {}
CHECKS = (
    installation,
    python,
    files,
    unfinished,
    leases,
    frontends,
    vulnerable,
    modulefile,
    spider_cache,
)

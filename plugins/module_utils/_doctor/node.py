# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at on the node itself: room, limits, tmux, modules. Pure."""

from __future__ import annotations

from shlex import quote

from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import (
    RESTART,
    STOP,
    on_node,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._common.quota import parse
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import (
    HOME,
    TEMPORARY,
    Finding,
    Seen,
    ok,
    warning,
    wrong,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.login_files import (
    for_builds,
    for_more_files,
)

_LIVES = ("running", "unrecorded")
_MIB = 1024.0  # in KiB, as df counts
_LARGEST = on_node("du -xhd1 ~")
_MOST_FILES = on_node("du --inodes -xd1 ~")


def home_writable(seen: Seen) -> Finding | None:
    """Tried by writing: df knows nothing of quotas."""
    said = seen.one("home_write")
    if said and said != "yes":
        return wrong(HOME, f"cannot be written to: {said}", _home_todo(said))
    return ok(HOME, "can be written to") if said else None


def _home_todo(said: str) -> str:
    if "Read-only" in said:
        return "ask the site; nothing can be saved on this node meanwhile"
    typed = on_node("chmod u+rwx ~")
    return typed if "Permission denied" in said else f"make room; {_LARGEST}"


def home_room(seen: Seen) -> Finding | None:
    """Room for the installation, notebooks and results."""
    return _room(seen.number("home_kib"), "room at home", 200 * _MIB, 2048 * _MIB, _LARGEST)


def _room(kib: float | None, subject: str, least: float, few: float, todo: str) -> Finding | None:
    if kib is None:
        return None
    what = f"{kib / _MIB:.0f} MiB free"
    if kib < least:
        return wrong(subject, what, todo)
    return warning(subject, what, todo) if kib < few else ok(subject, what)


def home_inodes(seen: Seen) -> Finding | None:
    """An installation has some 20,000 files."""
    free = seen.number("home_inodes")
    if free is None:
        return None
    what = f"{free:.0f} more files are possible"
    if free < 500:
        return wrong("files at home", what, _MOST_FILES)
    return (
        warning("files at home", what, _MOST_FILES) if free < 30000 else ok("files at home", what)
    )


def quota(seen: Seen) -> Finding | None:
    """What the site's quota says of the home, where it has a command for that."""
    said = "\n".join(seen.all("quota"))
    found = parse(said, seen.one("home_device")) or parse(said, seen.one("home_path"))
    if found is None:
        return None
    what = f"{100 * found.share:.0f} % are used"
    if found.share >= 1:
        return wrong("quota", what, _LARGEST)
    return warning("quota", what, _LARGEST) if found.share > 0.9 else ok("quota", what)


def tmp_writable(seen: Seen) -> Finding | None:
    """The server's socket lies there."""
    said = seen.one("tmp_write")
    if said and said != "yes":
        return wrong(
            TEMPORARY,
            f"cannot be written to: {said}",
            "ask the site, or use another node",
        )
    return ok(TEMPORARY, "can be written to") if said else None


def tmp_executable(seen: Seen) -> Finding | None:
    """Not needed by the server, but by what people build."""
    if seen.one("tmp_exec") == "no":
        what = "programs cannot be run there (noexec); building packages may fail"
        return warning("programs in /tmp", what, on_node(for_builds(seen.one("shell"))))
    return ok("programs in /tmp", "can be run") if seen.one("tmp_exec") else None


def tmp_sticky(seen: Seen) -> Finding | None:
    """Without it everybody can rename what lies in /tmp, and kernels refuse to start."""
    if seen.one("tmp_sticky") == "no":
        what = "is not sticky: others can replace your files there, so no kernel is started"
        return wrong("safety of /tmp", what, "ask the site to make it sticky again")
    return ok("safety of /tmp", "nobody can replace your files") if seen.one("tmp_sticky") else None


def tmp_room(seen: Seen) -> Finding | None:
    """Sockets, histories and temporary files."""
    return _room(
        seen.number("tmp_kib"), "room in /tmp", 10 * _MIB, 200 * _MIB, on_node("ls -lS /tmp")
    )


def local_directory(seen: Seen) -> Finding | None:
    """Anybody can make a directory of that name in /tmp first."""
    path, state = seen.one("local_dir"), seen.one("local_dir_state")
    if state == "foreign" and seen.one("server") in _LIVES:
        what = f"{path} belongs to somebody else: no new kernel is started there"
        return wrong("node-local directory", what, RESTART)
    if state == "foreign":
        what = f"{path} belongs to somebody else; start takes another name"
        return warning("node-local directory", what, "tell the site")
    if state == "missing" and seen.one("server") in _LIVES:
        what = f"{path} was removed under the running server, with its sockets"
        return wrong("node-local directory", what, RESTART)
    if state == "mixed":
        what = f"{path} holds what belongs to somebody else; start takes another name"
        return warning(
            "node-local directory", what, f"here `{STOP}`, then on the node `rm -rf {path}`"
        )
    if state == "no locks":
        what = f"files in {path} cannot be locked: {seen.one('local_dir_locks')}"
        return wrong("node-local directory", what, "ask the site, or use another node")
    if state == "open runtime":
        what = f"others can enter {path}/runtime: no kernel is started there"
        return wrong("node-local directory", what, on_node(f"chmod 700 {path}/runtime"))
    if state == "odd lock":
        what = f"{path}/lock is no file"
        return wrong("node-local directory", what, on_node(f"mv {path}/lock ~/lock.odd"))
    if state == "open":
        return wrong(
            "node-local directory", f"others can enter {path}", on_node(f"chmod 700 {path}")
        )
    if state == "ours":
        return ok("node-local directory", f"{path} is yours alone")
    return ok("node-local directory", "will be made by start") if state else None


def tmux(seen: Seen) -> Finding | None:
    """What keeps the server alive when nobody is logged in."""
    found = seen.one("tmux")
    if found == "missing":
        conda = f"{quote(seen.one('prefix')) or '~/anaconda'}/bin/conda"
        return wrong(
            "tmux", "there is none", f"ask the site, or {on_node(f'{conda} install tmux')}"
        )
    return ok("tmux", found) if found else None


def logout(seen: Seen) -> Finding | None:
    """logind may end at logout what tmux keeps."""
    if seen.one("kill_user_processes") != "yes":
        return ok("logout", "ends nothing of yours") if seen.one("kill_user_processes") else None
    if seen.one("linger") == "yes":
        return ok("logout", "lingering is enabled: your processes survive logout")
    what = "the node ends your processes at logout (KillUserProcesses)"
    return warning("logout", what, on_node("loginctl enable-linger"))


def modules(seen: Seen) -> Finding | None:
    """The site's module system."""
    found = seen.one("modules")
    if found == "none":
        return warning("modules", "there is no `module` here", "use ~/anaconda/bin directly")
    return ok("modules", found) if found else None


def cpu_limit(seen: Seen) -> Finding | None:
    """Development nodes end processes after some time."""
    limit = seen.one("cpu_limit")
    if limit.isdecimal():
        what = f"a process ends after {int(limit) // 60} minutes of computing here"
        return warning("time limit", what, "run long work in a job of the scheduler")
    return ok("time limit", "none") if limit else None


def open_files(seen: Seen) -> Finding | None:
    """Each kernel needs some thirty."""
    limit = seen.number("open_files")
    if limit is None:
        return None
    if limit < 512:
        todo = for_more_files(seen.one("shell"), 1024)
        return warning("open files", f"at most {limit:.0f}", todo)
    return ok("open files", f"up to {limit:.0f}")


def load(seen: Seen) -> Finding | None:
    """A node that others keep busy."""
    average, cores = seen.number("load"), seen.number("cores")
    if average is None or not cores:
        return None
    what = f"{average:.1f} on {cores:.0f} cores"
    if average > 2 * cores:
        return warning("load", what, "use another node: --limit NODE")
    return ok("load", what)


QUESTIONS = {
    "cpu_limit": "ulimit -t",
    "open_files": "ulimit -n",
    "load": "cut -d' ' -f1 /proc/loadavg",
    "cores": "getconf _NPROCESSORS_ONLN",
    "home_kib": "df -Pk ~ | awk 'NR == 2 { print $4 }'",
    "home_inodes": "df -Pi ~ | awk 'NR == 2 && $2 > 0 { print $4 }'",
    "home_device": "df -P ~ | awk 'NR == 2 { print $1 }'",
    "home_path": "echo ~",
    # Without a limit to the waiting for a file server that is down, nothing else would be told.
    "quota": 'heard quota -w -p; if command -v lfs >&2; then heard lfs quota -u "$(id -u)" ~; fi',
    "tmp_kib": "df -Pk /tmp | awk 'NR == 2 { print $4 }'",
    "tmux": '"$tmux" -V || echo missing',
}
CHECKS = (
    home_writable,
    home_room,
    home_inodes,
    quota,
    tmp_writable,
    tmp_executable,
    tmp_sticky,
    tmp_room,
    local_directory,
    tmux,
    logout,
    modules,
    cpu_limit,
    open_files,
    load,
)

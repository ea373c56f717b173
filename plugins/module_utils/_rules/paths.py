# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for directories: the installation's prefix, the notebooks, the modulefiles.

Every path is absolute or begins with ~/ (the home directory of the person on the cluster, which
the controller does not know). `~somebody/…` is refused: nothing here writes into other homes.
"""

from __future__ import annotations

import posixpath
import re

from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import line, shown

# Scripts begin with "#!<generation>/bin/python3.13"; Linux before 5.1 (RHEL 8) reads 127 bytes.
GENERATION_BYTES = 110
# What the shortest pinned generation adds to the prefix: ".d/miniforge-26.3.2-3-" and 12 digits.
GENERATION_NAME_BYTES = 34
PREFIX_BYTES = GENERATION_BYTES - GENERATION_NAME_BYTES

_PREFIX_CHARACTERS = re.compile(r"[A-Za-z0-9._@+=,/-]*")
# What a shell or an interpreter line takes for something else; letters of all languages work.
_UNUSUAL = re.compile(r"[^\w.~@+=,/-]")
# Refused for notebooks; for an installation only warned about: its owners are checked on the host.
_SHARED = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - never used as a place
_NO_PREFIX: tuple[str, ...] = (
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/opt",
    "/proc",
    "/root",
)
_NO_PREFIX += ("/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/local", "/var")  # noqa: S108


def path(value: object) -> str | None:
    """An absolute path or one below the home directory; any characters but control characters."""
    reason = line(value)
    if reason:
        return reason
    if str(value).startswith("/") or str(value) == "~" or str(value).startswith("~/"):
        return None
    return f"must be an absolute path or begin with ~/, got {shown(value)}"


def optional_path(value: object) -> str | None:
    """A path, or nothing."""
    return None if value == "" else path(value)


def generation(value: object) -> str | None:
    """Where an installation really lies: `<prefix>.d/<name>-<version>-<12 hexadecimal digits>`."""
    length = len(str(value).encode("utf-8", "surrogateescape"))
    # Those of the home directory; the prefix itself was judged before.
    if " " in str(value):
        return f"leads to {value!r}, and no installer takes a space: choose one outside of it"
    found = _UNUSUAL.search(str(value))
    if found:
        return (
            f"leads to {value!r}, and Ansible and scripts cannot run programs from a path with "
            f"{found[0]!r} in it: choose one outside of it"
        )
    if length <= GENERATION_BYTES:
        return path(value)
    return (
        f"is {length} bytes long, and the first line of the scripts in it can hold "
        f"{GENERATION_BYTES}: choose a prefix that is {length - GENERATION_BYTES} shorter"
    )


def prefix(value: object) -> str | None:
    """The path that people use for their installation.

    Only ASCII letters, digits and . _ @ + = , - are accepted: conda refuses spaces, and shebangs,
    PATH, modulefiles and the many scripts below a prefix each break on some other character, so
    that a prefix such as /home/ü/コンダ would break some tools. The length leaves room for the
    shortest generation name that is pinned; `generation` judges the exact path once its name is
    known.
    """
    reason = path(value)
    if reason:
        return reason
    given = str(value)
    if not _PREFIX_CHARACTERS.fullmatch(given[given.startswith("~") :]):
        return f"must consist of ASCII letters, digits and . _ @ + = , - only, got {shown(value)}"
    return _segments(given) or _place(given) or _length(given)


def _segments(given: str) -> str | None:
    parts = given.split("/")[1:]
    if not all(parts) and given != "/":
        return f"must not end in / or contain //, got {shown(given)}"
    if any(part in (".", "..") for part in parts):
        return f"must not contain . or .. as a directory, got {shown(given)}"
    return None


def _place(given: str) -> str | None:
    if given in _NO_PREFIX or given == "~":
        return f"must be a directory of its own, got {shown(given)}"
    return None


def _length(given: str) -> str | None:
    if len(given) <= PREFIX_BYTES:
        return None
    return (
        f"is {len(given)} bytes long, and {PREFIX_BYTES} is the most: an installation lies in "
        f"<prefix>.d/<name>-<version>-<checksum>, and the first line of the scripts in it can "
        f"hold {GENERATION_BYTES} bytes of path"
    )


def prefix_warning(value: object) -> str | None:
    """A prefix in a directory that everybody can write to works, but does not last."""
    if str(value).startswith(tuple(f"{shared}/" for shared in _SHARED)):
        return f"{value} is in a directory that everybody can write to and that is cleaned up"
    return None


def root_dir(value: object) -> str | None:
    """Where the notebook server begins to look for notebooks.

    Not / (Jupyter then serves the whole machine, and since 2.18 refuses to), and nothing in a
    directory that everybody can write to (kernels import from it what somebody else put there).
    Whether others may write to the directory itself, only the host can tell: ipython_profile asks.
    """
    reason = path(value)
    if reason:
        return reason
    normal = posixpath.normpath("/" + str(value).lstrip("/")) if str(value)[0] == "/" else ""
    if normal == "/":
        return "must not be /: notebooks would reach the whole machine"
    if f"{normal}/".startswith(tuple(f"{shared}/" for shared in _SHARED)):
        return (
            f"must not be {normal}: whoever is first can put files there that your kernels import, "
            "and the site removes it now and then"
        )
    return None


def searched(value: object) -> str | None:
    """A directory for PATH or MODULEPATH, whose separator is the colon."""
    reason = path(value)
    if reason:
        return reason
    if ":" in str(value):
        return (
            f"must not contain a colon, which separates the directories of PATH, got {shown(value)}"
        )
    return None

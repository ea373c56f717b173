# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for what is installed: the installer, its checksum, packages and where they come from.

A requirement is a name and versions in the spelling that conda and pip share: `numpy>=1.26,<3`,
without spaces, extras, URLs or options.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ansible_collections.hpcc.notebook.plugins.module_utils._rules.network import host_name
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import (
    line,
    list_of,
    matching,
    shown,
)

_HEX = re.compile(r"[0-9A-Fa-f]*")
_OTHER_SUMS = {32: "an MD5 sum", 40: "a SHA-1 sum", 96: "a SHA-384 sum", 128: "a SHA-512 sum"}
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/@!+,=%\[\]-]*")
_CLAUSE = r"(?:===|==|>=|<=|!=|~=|<|>)[A-Za-z0-9][A-Za-z0-9.*+!_-]*"
_PACKAGE = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:{_CLAUSE}(?:,{_CLAUSE})*)?")
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")

version = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}"),
    "a version of at most 40 letters, digits and . _ + -",
)


def https_url(value: object) -> str | None:
    """An address that nobody on the way can change and that holds no secret."""
    reason = line(value)
    if reason:
        return reason
    given = str(value)
    if not given.startswith("https://"):
        return f"must begin with https://, got {shown(_without_secret(given))}"
    if "@" in given.split("/")[2]:
        return "must not contain a user name or password: it would end up in logs"
    if not _URL_CHARACTERS.fullmatch(given):
        return f"must be a plain https address without ? and #, got {shown(_cut(given))}"
    return _address(given)


def _address(given: str) -> str | None:
    try:
        parts = urlsplit(given)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return f"must be an https address, got {shown(given)}"
    reason = host_name(host) if host else "is missing"
    return f"must name a host, but that {reason}" if reason else None


def _without_secret(given: str) -> str:
    """An address as it may be shown: without what stands before the @ of its host."""
    return re.sub(r"//[^/]*@", "//…@", _cut(given))


def _cut(given: str) -> str:
    """An address without its query, which may hold a token."""
    return re.split(r"[?#]", given, maxsplit=1)[0]


def installer_url(value: object) -> str | None:
    """Where the installer lies; it refuses to run under a name that does not end in .sh."""
    reason = https_url(value)
    if reason or str(value).endswith(".sh"):
        return reason
    return f"must end in .sh, as conda installers for Linux do, got {shown(value)}"


def sha256(value: object) -> str | None:
    """A checksum from a place of its own; digits of either case."""
    reason = line(value)
    if reason:
        return reason
    given = str(value)
    if _HEX.fullmatch(given) and len(given) == 64:
        return None
    found = _OTHER_SUMS.get(len(given)) if _HEX.fullmatch(given) else None
    return f"must be the 64 hexadecimal digits of a SHA-256 sum, got {found or shown(value)}"


package = matching(_PACKAGE, "a name with versions such as numpy>=1.26,<3 (no spaces, no URL)")
packages = list_of(package)


def channel(value: object) -> str | None:
    """The name of a conda channel, or its https address."""
    reason = line(value)
    if reason or _CHANNEL.fullmatch(str(value)):
        return reason
    if "://" in str(value):
        return https_url(value)
    return f"must be a channel's name or https address, got {shown(value)}"


channels = list_of(channel)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the way to the cluster: users, hosts, ports, seconds.

Nothing here may hold a character that ssh or a shell would read as more than a name: an option
(-o…), a token (%h), a second forward (8888:evil:80). Names in other scripts are written in their
ASCII form (xn--…), because ssh itself does not translate them.
"""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import (
    integer,
    line,
    matching,
    shown,
    whole_number,
)

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# + and / stand in aliases by which ~/.ssh/config leads over one host to another: jump+dev1.
_ALIAS = re.compile(r"[+/]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,31}")
_JUMP = re.compile(r"(?:(?P<user>.*)@)?(?:\[(?P<six>[^]]*)\]|(?P<host>[^:]*))(?::(?P<port>.*))?")
_TAKEN = {
    1433: "SQL Server",
    2049: "NFS",
    3306: "MySQL",
    5432: "PostgreSQL",
    5900: "VNC",
    6000: "X11",
    6379: "Redis",
    6817: "Slurm",
    6818: "Slurm",
    6819: "Slurm",
    11211: "memcached",
    15001: "PBS",
    27017: "MongoDB",
}

port = whole_number(1, 65535)
seconds = whole_number(1, 86400)
_login_name = matching(_USER, "a login name: up to 32 ASCII letters, digits and . _ + -")


def ssh_user(value: object) -> str | None:
    """A login name; where a directory of several realms knows the accounts, with its realm."""
    reason = line(value)
    if reason:
        return reason
    name, at, realm = str(value).partition("@")
    if at and host_name(realm):
        return f"has a realm behind @ that {host_name(realm)}"
    return _login_name(name)


def key_file(value: object) -> str | None:
    """A file by any path; Ansible writes it between quotes."""
    reason = line(value)
    if reason:
        return reason
    given = str(value)
    if not given or given.startswith("-") or '"' in given:
        return f"must be the path of a file, without quotes, got {shown(value)}"
    return None


def owner(value: object) -> str | None:
    """An account of the node, or none."""
    return None if value == "" else ssh_user(value)


def group(value: object) -> str | None:
    """A group of the node, or none. Names of groups are made as those of accounts."""
    return owner(value)


def port_warning(value: object) -> str | None:
    """Ports that the person may take, but most likely cannot."""
    number = integer(value) or 0
    if 0 < number < 1024:
        return f"{number} is below 1024, which only root can listen on"
    return f"{number} usually belongs to {_TAKEN[number]}" if number in _TAKEN else None


def ssh_user_warning(value: object) -> str | None:
    """Root works, but nothing here needs it."""
    return "root is not needed: use your own account" if value == "root" else None


def host_name(value: object) -> str | None:
    """A host by name or address, nothing else."""
    reason = line(value)
    if reason:
        return reason
    given = str(value)
    if not given.isascii():
        return f"must be written in ASCII (the xn--… form of the name), got {shown(value)}"
    if len(given) > 253:
        return f"has {len(given)} characters, and 253 is the most for a host"
    if is_address(given) or all(map(_LABEL.fullmatch, given.split("."))):
        return None
    return f"must be a host's name or address, got {shown(value)}"


def ssh_alias(value: object) -> str | None:
    """A host as the configuration of ssh knows it: a name or address, or several names in one."""
    names = _ALIAS.split(value) if isinstance(value, str) else []
    return None if len(names) > 1 and not any(map(host_name, names)) else host_name(value)


def is_address(given: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, without a zone."""
    try:
        ipaddress.ip_address(given)
    except ValueError:
        return False
    return "%" not in given


def ssh_host(value: object) -> str | None:
    """A host as ssh's -J takes it: [user@]host[:port], IPv6 with a port in brackets."""
    if ssh_alias(value) is None:
        return None
    found = _JUMP.fullmatch(value) if isinstance(value, str) else None
    if not found or line(value):
        return host_name(value)
    return _jump_reason(found.group("user"), found.group("six"), found.group("host")) or _port_of(
        found.group("port")
    )


def _jump_reason(user: str | None, six: str | None, host: str | None) -> str | None:
    if user is not None and ssh_user(user):
        return f"has a user that {ssh_user(user)}"
    if user is not None and "@" in user and "." not in user.partition("@")[2]:
        return f"names two hosts, or a realm that has no dot: {shown(user)}"
    if six is not None:
        return None if ":" in six and is_address(six) else f"must be an address in [], got {six!r}"
    return ssh_alias(host)


def _port_of(given: str | None) -> str | None:
    reason = port(given) if given is not None else None
    return f"has a port that {reason}" if reason else None

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A block in ~/.ssh/config: `ssh nbserver` is the server's node, `ssh nbserver-tunnel` the tunnel.

What has to stand in it is not thought out but asked: `ssh -G` prints what ssh makes of a command
line. The block holds what it says of a command and not of the bare name. Pure.
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError

Settings = Dict[str, List[str]]

_BEGIN = "# BEGIN hpcc.notebook {name}: written by connect.yml; changes here are lost"
_END = "# END hpcc.notebook {name}"
# The name itself, which is what differs; and what ssh prints without there being an option.
_NOT_SETTINGS = ("host", "originalhost")
FORWARDS = ("localforward", "remoteforward", "dynamicforward")
_COMMAND = ("remotecommand", "clearallforwardings")
# These take the rest of their line as it stands; in the others, quotes hold a value together.
_WHOLE_LINE = ("proxycommand", "localcommand", "remotecommand", "knownhostscommand")
_SEVERAL_WORDS = re.compile(
    r"(local|remote|dynamic)forward|(user|global)knownhostsfile|.*env$|tunneldevice|ipqos"
)
# Not at the beginning: ssh takes "=" for what stands between keyword and value.
_PLAIN = re.compile(r"[A-Za-z0-9@%+:,./~_\[\]^$*-][A-Za-z0-9@%+=:,./~_\[\]^$*#{}-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def parse(printed: str) -> Settings:
    """What `ssh -G` printed, as keyword → values; some keywords have several."""
    found: Settings = {}
    for line in printed.splitlines():
        keyword, _space, value = line.partition(" ")
        if keyword not in _NOT_SETTINGS:
            found.setdefault(keyword, []).append(value)
    return _without_phantoms(found)


def _without_phantoms(found: Settings) -> Settings:
    """Where a port leads to a socket, ssh also prints a DynamicForward that there is not."""
    ports = {value.partition(" ")[0] for value in found.get("localforward", [])}
    real = [value for value in found.pop("dynamicforward", []) if value not in ports]
    return {**found, **({"dynamicforward": real} if real else {})}


def lines(wanted: Settings, plain: Settings) -> list[str]:
    """The settings that turn what ssh makes of the bare name into what is wanted."""
    return [
        f"    {keyword} {quoted(keyword, value)}"
        for keyword, values in wanted.items()
        for value in values
        if value not in plain.get(keyword, [])
    ]


def quoted(keyword: str, value: str) -> str:
    """A value as it stands behind its keyword."""
    if _CONTROL.search(value):
        raise NotebookError(f"ssh_config cannot hold this value: {value!r}", keyword)
    if keyword in _WHOLE_LINE:
        return value
    if '"' in value or "\\" in value:  # old and new versions of ssh read them differently
        raise NotebookError(f"ssh_config cannot hold a quote or backslash: {value!r}", keyword)
    words = value.split(" ") if _SEVERAL_WORDS.fullmatch(keyword) else [value]
    return " ".join(word if _PLAIN.fullmatch(word) else f'"{word}"' for word in words)


def with_forwards_of(own: Settings, found: Settings) -> Settings:
    """The settings of a login with the forwardings of another; nothing else is to happen in it."""
    kept = {keyword: found[keyword] for keyword in found if keyword not in (*FORWARDS, *_COMMAND)}
    forwards = {keyword: own[keyword] for keyword in FORWARDS if keyword in own}
    # Otherwise ssh would clear the block's own forwarding, or run a command (where -N has no name).
    cleared = {"clearallforwardings": ["no"]} if "clearallforwardings" in found else {}
    command = {"remotecommand": ["none"]} if "remotecommand" in found else {}
    return {**kept, **forwards, **cleared, **command}


def tunnel_name(name: str) -> str:
    """The name that opens the tunnel, beside the one that logs in."""
    return f"{name}-tunnel"


# What makes the tunnel's command a tunnel, with the number of words that follow.
_TUNNEL_ONLY = {"-N": 0, "-a": 0, "-L": 1}
_FORWARDING_MUST_WORK = ["-o", "ExitOnForwardFailure=yes"]


def node_words(words: Sequence[str]) -> list[str]:
    """The words of a login where the tunnel ends: its route, without what makes it a tunnel."""
    rest, kept = list(words), []
    while rest:
        if rest[0] in _TUNNEL_ONLY:
            del rest[: 1 + _TUNNEL_ONLY[rest[0]]]
        elif rest[:2] == _FORWARDING_MUST_WORK:
            del rest[:2]
        else:
            kept.append(rest.pop(0))
    return kept


def as_a_login(found: Settings) -> Settings:
    """A login for a shell, sftp, rsync or an editor: nothing of the person's other logins in it."""
    plain = {"requesttty": ["auto"]} if "requesttty" in found else {}
    return {**with_forwards_of({}, found), **plain}


def without_harmless_forwards(found: Settings, wanted: Settings) -> Settings:
    """What a person forwards at every login is theirs, unless it takes the port of the tunnel."""
    ports = {_listens(value)[1] for value in wanted.get("localforward", [])}
    own = {keyword: wanted.get(keyword, []) for keyword in FORWARDS}
    kept = {
        keyword: [v for v in found[keyword] if v in own[keyword] or _takes(keyword, v, ports)]
        for keyword in FORWARDS
        if keyword in found
    }
    rest = {keyword: values for keyword, values in found.items() if keyword not in FORWARDS}
    return {**rest, **{keyword: values for keyword, values in kept.items() if values}}


def _takes(keyword: str, value: str, ports: set[str]) -> bool:
    """Whether ssh would listen where the tunnel begins; without an address, it does."""
    address, port = _listens(value)
    everywhere = address in ("", "*", "0.0.0.0", "localhost", "127.0.0.1")  # noqa: S104
    return keyword != "remoteforward" and everywhere and port in ports


def _listens(value: str) -> tuple[str, str]:
    """Address and port, as `ssh -G` prints them: 8888, [127.0.0.1]:8888."""
    address, _colon, port = value.partition(" ")[0].rpartition(":")
    return address.strip("[]"), port


def differences(wanted: Settings, got: Settings) -> list[str]:
    """The keywords in which the bare name still means something else."""
    keywords = [*wanted, *(keyword for keyword in got if keyword not in wanted)]
    unset = ["none"]  # which ssh prints, or not
    return [k for k in keywords if wanted.get(k, unset) != got.get(k, unset)]


def with_block(text: str, name: str, hosts: Mapping[str, list[str]]) -> str:
    """The file with the block in it: where it was, or at the top, where it comes first.

    ssh takes the first value that it finds, so a block below `Host *` would mean little. `Match
    all` ends it, so that what stands below means all hosts as before.
    """
    stanzas = [line for host, settings in hosts.items() for line in (f"Host {host}", *settings)]
    block = "\n".join([_begin(name), *stanzas, "Match all", _end(name)])
    before, old, after = _split(text, name)
    if old:
        return f"{before}{block}\n{after}"
    return f"{block}\n\n{text}" if text else f"{block}\n"


def without_block(text: str, name: str) -> str:
    """The file as if there had never been a block."""
    before, old, after = _split(text, name)
    return before + (after[1:] if after.startswith("\n") and old and not before else after)


def _split(text: str, name: str) -> tuple[str, str, str]:
    """What stands before, in and after the block; all of it before when there is none."""
    every = text.splitlines(keepends=True)
    begins = [place for place, line in enumerate(every) if _is(line, _begin(name))]
    ends = [place for place, line in enumerate(every) if _is(line, _end(name))]
    if not begins and not ends:
        return text, "", ""
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        what = f"the marks of the block {name} are damaged: there must be one BEGIN and one END"
        raise NotebookError(what, "ssh_config", "Remove what is left of the block by hand.")
    first, last = begins[0], ends[0] + 1
    return "".join(every[:first]), "".join(every[first:last]), "".join(every[last:])


def _is(line: str, mark: str) -> bool:
    return line.rstrip("\r\n") == mark


def _begin(name: str) -> str:
    return _BEGIN.format(name=name)


def _end(name: str) -> str:
    return _END.format(name=name)


def diff(path: str, before: str, after: str) -> Mapping[str, str]:
    """What Ansible shows for --diff."""
    return {"before_header": path, "after_header": path, "before": before, "after": after}

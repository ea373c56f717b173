# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: ask ssh what it makes of a configuration, read it and replace it."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.resource import Plan
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import require
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import config as ssh_config
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.config import Settings
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.shared_path import (
    may_lead_elsewhere,
)

_SSH_ANSWERS_WITHIN = 20.0
_SYSTEM = "/etc/ssh/ssh_config"


def decide(params: Mapping[str, Any]) -> Plan:
    """What the file has to be, known and checked by ssh before anything is written."""
    name, path = params["name"], files.expanded(params["path"])
    require("name", "profile_name", name)
    require("path", "path", params["path"])
    before = _read(path)
    after = ssh_config.without_block(before, name)
    if params["state"] == "present":
        words = _words(params["command"] or "", path)
        wanted = _wanted(words, after, name, path)
        hosts = {host: _settings(host, asked, after, path) for host, asked in wanted.items()}
        after = ssh_config.with_block(before, name, hosts)
        for host, asked in wanted.items():
            _require_same(host, asked, after, path)
    changed = before != after
    return Plan(
        reasons=[_reason(before, after, params["state"])] if changed else [],
        apply=lambda: _write(path, after),
        diff=[ssh_config.diff(path, before, after)] if changed else [],
        result={"path": path, "name": name},
    )


def _reason(before: str, after: str, state: str) -> str:
    if state == "absent":
        return "the block is there"
    return "the block is missing" if len(after) > len(before) else "the block differs"


def _words(command: str, path: str) -> list[str]:
    """The words of a tunnel's command behind ssh; it has to be one that one file can express."""
    words = shlex.split(command)
    if words[1:2] != ["-N"]:
        what = "must be the command of a tunnel that begins with `ssh -N`"
        raise NotebookError(what, "command", "A tunnel of two hops cannot stand in ssh_config.")
    rest = words[1:]
    while "-F" in rest:
        at = rest.index("-F")
        if files.expanded(rest[at + 1]) != path:
            what = f"it reads {rest[at + 1]} (-F), where a block in {path} would not be seen"
            raise NotebookError(what, "command", "Set nbserver_ssh_config_file to that file.")
        del rest[at : at + 2]
    return rest


def _wanted(words: Sequence[str], without: str, name: str, path: str) -> dict[str, Settings]:
    """What each name has to mean: the node itself, and the tunnel.

    They are two because a login must work while the tunnel has its port, and ssh has no setting
    for a forwarding that may fail unless it is the tunnel.
    """
    node = ssh_config.node_words(words)
    return {
        name: ssh_config.as_a_login(_apart(node, without, path)),
        ssh_config.tunnel_name(name): _tunnel(words, _apart(words, without, path)),
    }


def _apart(words: Sequence[str], without: str, path: str) -> Settings:
    """What the words mean, without a shared login that may lead to another cluster."""
    found = _asked(words, without, path)
    elsewhere = may_lead_elsewhere(words, lambda asked: _asked(asked, without, path))
    return {**found, "controlpath": ["none"]} if elsewhere else found


def _settings(host: str, wanted: Settings, without: str, path: str) -> list[str]:
    return ssh_config.lines(wanted, _asked([host], without, path))


def _tunnel(words: Sequence[str], found: Settings) -> Settings:
    """What is wanted of a login: what leads there, and of all that is forwarded only the tunnel."""
    at = words.index("-L") if "-L" in words else len(words)
    own = ssh_config.parse(_ssh_says(["-F", "none", *words[at : at + 2], "node"]))
    return ssh_config.with_forwards_of(own, found)


def _require_same(host: str, wanted: Settings, text: str, path: str) -> None:
    """Let ssh itself confirm what the bare name means now."""
    got = _asked([host], text, path)
    left = ssh_config.differences(wanted, ssh_config.without_harmless_forwards(got, wanted))
    if left:
        what = f"`ssh {host}` would not mean what it has to, because of {', '.join(left)}"
        todo = f"Look for settings above the block, or for another `Host {host}`."
        raise NotebookError(what, "ssh_config", todo)


def _asked(words: Sequence[str], text: str, path: str) -> Settings:
    """What ssh makes of a command line when the file has this text."""
    with tempfile.NamedTemporaryFile("wb", prefix="ssh_config-") as file:
        file.write(_bytes(f"{text}\n{_read_after(path)}"))
        file.flush()
        try:
            return ssh_config.parse(_ssh_says(["-F", file.name, *words]))
        except NotebookError as error:
            said = error.what.replace(file.name, "the new file")
            raise NotebookError(said, error.where, error.todo) from error


def _read_after(path: str) -> str:
    """ssh reads the system's file after the person's own, but after no other."""
    own = files.expanded("~/.ssh/config")
    if os.path.realpath(path) != os.path.realpath(own) or not Path(_SYSTEM).exists():
        return ""
    return f"Match all\nInclude {_SYSTEM}\n"


def _ssh_says(words: Sequence[str]) -> str:
    done = processes.run(["ssh", "-G", *words], timeout=_SSH_ANSWERS_WITHIN)
    if done.code:
        what = f"ssh does not accept it: {done.stderr.strip()}"
        raise NotebookError(what, "ssh_config", "Correct that line; nothing was changed.")
    return done.stdout


def _read(path: str) -> str:
    content = files.read(os.path.realpath(path))
    return (content or b"").decode("utf-8", "surrogateescape")


def _write(path: str, text: str) -> Mapping[str, object]:
    """Replace the file itself, also where a link leads to it, as in a directory of dotfiles."""
    target = os.path.realpath(path)
    if not Path(target).parent.exists():
        files.make_private_directory(str(Path(target).parent))
    files.write_private(target, _bytes(text))
    return {}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

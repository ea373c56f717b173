# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this run of ansible-playbook is for, as the person has typed it.

What ansible.cfg or the environment says holds for the next command, too, and is not repeated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import as_called
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call_variables import repeated


def options() -> list[str]:
    """What a command needs to be for the same hosts, and for the same things there."""
    sources = _words("inventory")
    given = [] if sources == list(constants.DEFAULT_HOST_LIST) else sources
    inventory = [word for source in given for word in ("-i", _near(source))]
    return [*inventory, *_reaching(), *repeated(_words("extra_vars"), _near)]


def typed(text: str) -> str:
    """The text, with commands that work where it is read."""
    return as_called(text, options())


def with_commands(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a task, whose message a person reads."""
    said = result.get("msg")
    return {**result, "msg": typed(said)} if isinstance(said, str) else dict(result)


# Options with a value: how each is typed, and what it is where nobody has typed it.
_REACHING = {
    "subset": ("--limit", ""),
    "remote_user": ("-u", "DEFAULT_REMOTE_USER"),
    "connection": ("-c", "DEFAULT_TRANSPORT"),
    "private_key_file": ("--private-key", "DEFAULT_PRIVATE_KEY_FILE"),
    "ssh_common_args": ("--ssh-common-args", ""),
    "ssh_extra_args": ("--ssh-extra-args", ""),
    "vault_ids": ("--vault-id", "DEFAULT_VAULT_IDENTITY_LIST"),
    "vault_password_files": ("--vault-password-file", "DEFAULT_VAULT_PASSWORD_FILE"),
}
_ASKING = {"ask_pass": "--ask-pass", "ask_vault_pass": "--ask-vault-pass"}
_FILES = ("private_key_file", "vault_password_files")


def _reaching() -> Iterator[str]:
    for name, (option, setting) in _REACHING.items():
        usual = getattr(constants, setting) if setting else None
        words = _words(name)
        for word in [] if words == _listed(usual) else words:
            yield from (option, _near(word) if name in _FILES else word)
    for name, option in _ASKING.items():
        if context.CLIARGS.get(name):
            yield option


def _words(name: str) -> list[str]:
    return _listed(context.CLIARGS.get(name))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) and value else [str(each) for each in value or ()]


def _near(source: str) -> str:
    """A path below the working directory as it was typed; Ansible has made it a whole one."""
    path, here = Path(source), Path.cwd()
    if "," in source or not path.is_relative_to(here):
        return source
    near = os.path.relpath(path, here)
    return f"./{near}" if near.startswith("-") else near

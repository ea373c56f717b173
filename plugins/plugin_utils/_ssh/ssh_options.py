# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible's own ssh is given for a host, wherever that was set.

Variables are one place of several: ansible.cfg, the environment and the command line count, too.
Ansible is asked, by the names and the order of precedence of its connection plugin.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.loader import connection_loader
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.options import parsed

# Options of the plugin, and the variable in which the rest of the collection reads each.
_OPTIONS = {
    "remote_user": "ansible_user",
    "port": "ansible_port",
    "private_key_file": "ansible_ssh_private_key_file",
    "ssh_args": "ansible_ssh_args",
    "ssh_common_args": "ansible_ssh_common_args",
    "ssh_extra_args": "ansible_ssh_extra_args",
    "ssh_executable": "ansible_ssh_executable",
    "pkcs11_provider": "ansible_ssh_pkcs11_provider",
}
# Of these, files: whoever pastes a command may stand in another directory.
_PLACES = ("ansible_ssh_private_key_file", "ansible_ssh_executable", "ansible_ssh_pkcs11_provider")
_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
# What decides how ssh reaches a host; nothing else of a host is looked at.
_NAMES = """
    inventory_hostname ansible_connection ansible_host ansible_ssh_host ansible_user
    ansible_ssh_user ansible_port ansible_ssh_port ansible_ssh_private_key_file
    ansible_private_key_file ansible_ssh_args ansible_ssh_common_args ansible_ssh_extra_args
    ansible_ssh_executable ansible_ssh_pkcs11_provider
"""
# Options of Ansible's own logins, and the variables of a host that set them.
_OF_HOST = {
    "control_path_dir": ["ansible_control_path_dir"],
    "host_key_checking": ["ansible_host_key_checking", "ansible_ssh_host_key_checking"],
}
_FILES = re.compile(
    r"(?i)\s*(IdentityFile|CertificateFile|UserKnownHostsFile|GlobalKnownHostsFile|ControlPath)"
    r"(?:\s*=\s*|\s+)([^\s\"~/%$-][^\s\"]*)\s*"
)


def resolved(
    variables: Mapping[str, Any], keywords: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What decides how ssh reaches a host, as the connection plugin would see it.

    Args:
        variables: those of the host.
        keywords: remote_user and port of the play or the task, where the host is one of theirs.
    """
    known = {name: variables[name] for name in _NAMES.split() if name in variables}
    if not _by_ssh(known):
        return known
    connection_loader.get("ssh", class_only=True)  # and with it, what its options are
    # -u is the keyword of every play
    keys = {"remote_user": context.CLIARGS.get("remote_user"), **(keywords or {})}
    found = {name: _value(option, known, keys) for option, name in _OPTIONS.items()}
    given = {name: value for name, value in found.items() if value not in (None, "")}
    return _anywhere({**known, **given})


def control_directory(variables: Mapping[str, Any]) -> Path:
    """Where Ansible keeps the sockets of its own logins to a host."""
    return Path(str(_set("control_path_dir", variables))).expanduser()


def checks_host_keys(variables: Mapping[str, Any]) -> bool:
    """Whether Ansible's own logins prove to whom they lead."""
    return boolean(_set("host_key_checking", variables))


def _set(option: str, variables: Mapping[str, Any]) -> Any:
    """An option of Ansible's connection, by default or wherever else it was set."""
    connection_loader.get("ssh", class_only=True)
    of_host = {name: variables[name] for name in _OF_HOST[option] if name in variables}
    return constants.config.get_config_value(
        option, plugin_type="connection", plugin_name="ssh", variables=of_host
    )


def _by_ssh(known: Mapping[str, Any]) -> bool:
    connection = str(known.get("ansible_connection") or "ssh")
    return connection.rpartition(".")[2] in ("ssh", "smart")


def _value(option: str, known: Mapping[str, Any], keys: Mapping[str, Any]) -> Any:
    """What the option is; nothing where nobody set it, or where it makes no sense."""
    try:
        value, origin = constants.config.get_config_value_and_origin(
            option, plugin_type="connection", plugin_name="ssh", variables=known, keys=keys
        )
    except AnsibleError:
        return None  # the variable stays as it is, and the rules say what is wrong with it
    return None if origin == "default" else value


def _anywhere(known: dict[str, Any]) -> dict[str, Any]:
    """The same for whoever stands in another directory, as people do who paste a command."""
    absolute = {name: _place(name, str(known[name])) for name in _PLACES if known.get(name)}
    for name in _ARGUMENTS:
        if known.get(name):
            absolute[name] = _arguments(name, str(known[name]))
    return {**known, **absolute}


def _arguments(name: str, text: str) -> str:
    try:
        options = parsed(name, text)
    except NotebookError:
        return text  # and whoever reads it will say so
    return shlex.join(word for pair in options for word in _option(*pair) if word)


def _option(option: str, value: str) -> tuple[str, str]:
    if option in ("-F", "-i", "-S") and value != "none":
        return option, _path(value)
    named = _FILES.fullmatch(value) if option == "-o" else None
    if named and named[2] != "none":
        return option, f"{named[1]}={_path(named[2])}"
    return option, value


def _place(name: str, value: str) -> str:
    """A program or library without a slash is looked for by its name."""
    by_name = name != "ansible_ssh_private_key_file" and "/" not in value
    return value if by_name else _path(value)


def _path(value: str) -> str:
    # Not Path.resolve(): a link stays the name that the person knows.
    return value if value.startswith(("~", "/", "%", "$", "-")) else str(Path.cwd() / value)

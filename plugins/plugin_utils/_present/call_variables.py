# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables of a command line hold for the next command, too: `-e` as it is typed again.

What names the installation, the profile or the host does. What was meant once does not, and what
may be secret is never printed; a file (`-e @file`) is named, and not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.splitter import parse_kv

_OURS = re.compile(r"(?:anaconda|lmod_module|nbserver|parallel|teardown)_\w+")
_REACHING = re.compile(
    r"ansible_(?:connection|host|port|user|ssh_(?:args|common_args|executable|extra_args|host|port|"
    r"private_key_file|user))"
)
# What one call does, or how it is told; the next one is another.
ONCE = """
    anaconda_adopt anaconda_state lmod_module_state nbserver_doctor_json nbserver_doctor_only
    nbserver_open_browser nbserver_profile_ask_password nbserver_profile_state nbserver_second
    nbserver_ssh_config nbserver_state nbserver_trust teardown_confirmed teardown_parts
"""
_SECRET = re.compile(r"(?i)hash|pass|secret|token")
# An address with somebody's name in it, or with a query, is as good as a password.
_SECRET_VALUE = re.compile(r"://[^/\s]*@|://\S*\?|[\x00-\x1f\x7f]")
_PLAIN = re.compile(r"[\w.,:/~+@%-]+")


def repeated(given: Sequence[str], near: Callable[[str], str]) -> Iterator[str]:
    """The words of a command line.

    Args:
        given: what stood behind each -e.
        near: a path as it is typed where the person stands.
    """
    for text in given:
        if text.startswith("@"):
            yield from ("-e", f"@{near(text[1:])}")
            continue
        for name, value in _variables(text).items():
            if _holds_on(name) and _may_be_shown(value):
                yield from ("-e", _assigned(name, value))


def _variables(text: str) -> dict[str, Any]:
    """What Ansible has made of it."""
    try:
        found = yaml.safe_load(text) if text[:1] in ("{", "[") else parse_kv(text)
    except (AnsibleError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _holds_on(name: object) -> bool:
    if not isinstance(name, str) or name in ONCE.split() or _SECRET.search(name):
        return False
    return bool(_OURS.fullmatch(name) or _REACHING.fullmatch(name))


def _may_be_shown(value: object) -> bool:
    """Options of Jupyter and the like may hold anything: they are not looked through."""
    parts = value if isinstance(value, list) else [value]
    return all(
        isinstance(part, (str, int, float)) and not _SECRET_VALUE.search(str(part))
        for part in parts
    )


def _assigned(name: str, value: Any) -> str:
    """As short as it can be typed; a number in quotes stays the text that it is."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return f"{name}={value}"
    return json.dumps({name: value}, ensure_ascii=False)

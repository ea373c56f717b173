# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password of a profile: where Jupyter keeps its hash, and when that changes. Pure."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Callable, Dict

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import rules

Config = Dict[str, Any]

# Where a hash may stand, the one that Jupyter prefers first.
PLACES = (
    ("PasswordIdentityProvider", "hashed_password"),
    ("IdentityProvider", "hashed_password"),
    ("ServerApp", "password"),
)
# Where `jupyter server password` writes it, so that either of us finds what the other wrote.
OURS = PLACES[1]

_HASH = re.compile(r"argon2:\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)")


@dataclass(frozen=True)
class Cost:
    """What one guess takes: memory in KiB, passes over it, lanes."""

    memory: int
    passes: int
    lanes: int


# RFC 9106's choice for where memory matters; about a tenth of a second for each login.
COST = Cost(65536, 3, 4)


@dataclass(frozen=True)
class Hash:
    """An argon2id hash, taken apart."""

    cost: Cost
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        costs = f"m={self.cost.memory},t={self.cost.passes},p={self.cost.lanes}"
        return f"argon2:$argon2id$v=19${costs}${_encoded(self.salt)}${_encoded(self.digest)}"


def parse(stored: str) -> Hash:
    """Take apart a hash that the rule password_hash accepts."""
    found = _HASH.fullmatch(stored)
    if not found:
        raise NotebookError("is not an argon2id hash as Jupyter writes it", "the stored password")
    memory, passes, lanes = (int(number) for number in found.groups()[:3])
    return Hash(Cost(memory, passes, lanes), _decoded(found.group(4)), _decoded(found.group(5)))


def arriving(password: str) -> str:
    """Give the password as it arrives at a login.

    Keyboards and browsers compose accented letters, and Jupyter drops spaces around what it gets:
    the hash of anything else could never be matched.
    """
    return unicodedata.normalize("NFC", password).strip()


def remark(password: str) -> str | None:
    """Say what a person should know about a password that is accepted."""
    if password != password.strip():
        return "begins or ends with a space, which Jupyter's login page ignores"
    return rules.warn("password", password)


def load(content: bytes | None, path: str) -> Config:
    """Read Jupyter's JSON; an empty file is what a full disk leaves behind."""
    if not content or not content.strip():
        return {}
    try:
        config = json.loads(content)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise NotebookError("is not a JSON object", path, "Repair it or move it away")
    return config


def dump(config: Config) -> bytes:
    """Write it as Jupyter does."""
    return (json.dumps(config, indent=2) + "\n").encode()


def stored_hash(config: object) -> str:
    """Give the hash that Jupyter would use, or nothing, whatever the file holds."""
    if not isinstance(config, dict):
        return ""
    for section, name in PLACES:
        found = _section(config, section).get(name)
        if found:
            return str(found)
    return ""


def without_hash(config: Config) -> Config:
    """Take out the hash and keep everything else."""
    kept = dict(config)
    for section, name in PLACES:
        rest = {key: value for key, value in _section(kept, section).items() if key != name}
        if isinstance(kept.get(section), dict):
            kept[section] = rest
    return {name: value for name, value in kept.items() if value != {} or config[name] == {}}


def with_hash(config: Config, hashed: str) -> Config:
    """Put the hash into its one place and keep everything else."""
    section, name = OURS
    kept = without_hash(config)
    return {**kept, section: {**_section(kept, section), name: hashed}}


def why_change(stored: str, matches: Callable[[str], bool]) -> str | None:
    """Say why the stored hash has to be replaced; only of a good one it is asked if it matches."""
    if not stored:
        return "no password is stored"
    weakness = rules.RULES["password_hash"](stored)
    if weakness:
        return f"the stored hash {weakness}"
    return None if matches(stored) else "the password is another one"


def _section(config: Config, name: str) -> Config:
    section = config.get(name)
    return section if isinstance(section, dict) else {}


def _encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))

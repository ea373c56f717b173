# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the notebook's password and its hash. No reason ever shows what was given."""

from __future__ import annotations

import re
import unicodedata
from typing import Iterable

from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import CONTROL

PASSWORD_CHARACTERS = 12
_PASSWORD_BYTES = 1024
# The head of the published lists, as far as it is long enough to get here.
_COMMON = """
    password1234 password12345 password123456 passwordpassword 123456789012 1234567890123
    1234567890ab 123456789abc 1q2w3e4r5t6y 1q2w3e4r5t6y7u qwertyuiop12 qwertyuiop123
    qwertyuiop[] qwerty123456 qwerty1234567 qwertyuiopasdf abcdefghijkl abcdefghijklm
    abcd12345678 abc123456789 administrator administrator1 admin1234567 adminadminadmin
    letmeinletmein letmein12345 welcome12345 welcome123456 iloveyou1234 iloveyouforever
    changemenow1 changeme1234 changemechangeme trustno1trustno1 correcthorsebatterystaple
    jupyterjupyter jupyternotebook jupyter12345 notebooknotebook notebook1234 anaconda1234
    unbelievable manchesterunited liverpool1234 princess1234 sunshine1234 football1234
    baseball1234 superman1234 monkey123456 dragon123456 q1w2e3r4t5y6 zaq12wsxcde3
    1qaz2wsx3edc 1qazxsw23edc asdfghjkl123 zxcvbnm12345 secret123456 p@ssw0rd1234
    passw0rd1234 p@ssword1234 mypassword123 mypassword12 testtesttest test12345678
"""
# OWASP's password storage cheat sheet: memory in KiB and passes of equal strength.
_ENOUGH = ((47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5))
_MOST = {"m": 1048576, "t": 64, "p": 64}
_PREFIX = "argon2:"
_HASH = re.compile(
    r"\$argon2id\$v=19\$m=(?P<m>[1-9][0-9]{0,9}),t=(?P<t>[1-9][0-9]{0,9}),p=(?P<p>[1-9][0-9]{0,9})"
    r"\$(?P<salt>[A-Za-z0-9+/]{11,128})\$(?P<hash>[A-Za-z0-9+/]{22,128})"
)


def password(value: object, names: Iterable[str] = ()) -> str | None:
    """A password that is worth hashing; `names` are those that an attacker tries first."""
    if not isinstance(value, str):
        return "must be text: write it in quotes"
    if len(value) < PASSWORD_CHARACTERS:
        return f"must have at least {PASSWORD_CHARACTERS} characters, has {len(value)}"
    return _unusable(value) or _guessable(value, names)


def _unusable(value: str) -> str | None:
    if CONTROL.search(value):
        return "must not contain line ends or other control characters: no login page takes them"
    try:
        length = len(value.encode())
    except UnicodeEncodeError:
        return "must be valid Unicode text"
    return f"must have at most {_PASSWORD_BYTES} bytes" if length > _PASSWORD_BYTES else None


def _guessable(value: str, names: Iterable[str]) -> str | None:
    folded = value.casefold().strip()
    if folded in _COMMON.split():
        return "is one of the passwords that are tried first"
    if folded in {name.casefold() for name in names}:
        return "must not be the name of the user, the host or the profile"
    if len(set(folded)) < 5:
        return "must have at least 5 different characters"
    return None


def password_warning(value: object) -> str | None:
    """What is accepted as it stands, although a person may not be able to type it again."""
    given = str(value)
    if given != given.strip():
        return "begins or ends with a space, which Jupyter ignores when you log in"
    if unicodedata.normalize("NFC", given) != unicodedata.normalize("NFD", given):
        return "has accented letters: a keyboard that composes them otherwise cannot log in"
    return None


def password_hash(value: object) -> str | None:
    """A hash as `jupyter server password` writes it, at least as strong as OWASP asks for.

    It has a ceiling, too: every login costs that memory on a node that other people share.
    """
    if not isinstance(value, str):
        return "must be text: write it in quotes"
    if not value.startswith(_PREFIX):
        return _not_ours(value)
    found = _HASH.fullmatch(value[len(_PREFIX) :])
    if not found or any(len(found.group(name)) % 4 == 1 for name in ("salt", "hash")):
        return "must be a complete argon2:$argon2id$v=19$m=…,t=…,p=…$… hash"
    return hash_cost(*(int(found.group(name)) for name in _MOST))


def _not_ours(value: str) -> str:
    if re.match(r"sha1:|md5:|sha256:", value):
        return "must be argon2id, not an old hash: set the password instead to have a new one made"
    if value.startswith("$argon2id$"):
        return "must begin with argon2: as Jupyter writes it, before $argon2id$"
    return "must be a hash that begins with argon2:$argon2id$"


def hash_cost(memory: int, passes: int, lanes: int) -> str | None:
    """What is wrong with what one guess at an argon2id hash costs."""
    given = f"m={memory},t={passes},p={lanes}"
    if any(number > most for number, most in zip((memory, passes, lanes), _MOST.values())):
        return "costs too much for a shared node with {}; at most m={m},t={t},p={p}".format(
            given, **_MOST
        )
    if not any(memory >= least and passes >= few for least, few in _ENOUGH):
        return f"is too weak with {given}: OWASP asks for m=19456,t=2,p=1 or its equals"
    return None

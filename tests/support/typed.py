"""What of a text is to be typed: the whole, what stands behind its last colon, or in backquotes."""

from __future__ import annotations

import re

# Some are words of a sentence, too: only what they are told shows which they are.
PLAIN = (
    "ansible-playbook|chgrp|chmod|chown|du|export|loginctl|mkdir|mv|pkill|rm|scancel|setenv|"
    "setfacl|ssh-add|ssh-copy-id|ssh-keygen|ulimit|unset"
)
WORDS = "conda|kill|limit|ls|module|quota|ssh|tmux|touch"
_TOLD = r"(?=[-~/$\"]|[\w.-]+/|\w+=|[ugo]+[+-]|0?[0-7]{3}\b|hpcc\.|install )"
_BEGINS = re.compile(rf"(?:\S*/)?(?:(?:{PLAIN})(?: |$)|(?:{WORDS}) {_TOLD})")
_LOOSE = re.compile(rf"(?<![\w/.-])(?:\S*/)?(?:{PLAIN}|{WORDS}) {_TOLD}")
_PROSE = re.compile(r"[;,.] |[.;,]$| \(|(?<!&&) (?:and|by|in|it|or|recreates|then|to|while|with) ")
_QUOTED = re.compile(r"`([^`]+)`")
_PROGRAM = re.compile(r"\n|\$\(|\| ")  # a text that a shell runs, and nobody reads


def commands(text: str) -> list[str]:
    """Each command, as it is copied."""
    quoted = [each for each in _QUOTED.findall(text) if _BEGINS.match(each)]
    whole = [text] if _BEGINS.match(text) else []
    last = text.rpartition(": ")[2]
    behind = [last] if last != text and _BEGINS.match(last) else []
    return [*quoted, *(whole or behind)]


def loose(text: str) -> list[str]:
    """What looks like a command and cannot be copied by itself, or not without other words."""
    if _PROGRAM.search(text):
        return []
    left, found = text, []
    for command in commands(text):
        left = left.replace(command, "")
        found += [command] if _PROSE.search(command) else []
    return [*found, *(left[each.start() :] for each in _LOOSE.finditer(left))]

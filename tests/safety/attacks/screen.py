"""A playbook as a person sees it: on a terminal, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pexpect
from people import CHECKOUT, prepared

PATIENCE = 400  # seconds after which a playbook counts as blocked; a busy machine needs some
# All that makes a terminal do something: but for line ends, tabs, and a line that is drawn anew.
CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
# Before or behind this word, a carriage return is the stranger's, too.
WORD = "PWNED"


@dataclass(frozen=True)
class Screen:
    """How it ended (None: it was blocked), and everything that reached the terminal."""

    code: int | None
    raw: str

    @property
    def controls(self) -> list[str]:
        found = {f"U+{ord(letter):04X}" for letter in CONTROL.findall(self.raw)}
        if f"\r{WORD}" in self.raw:
            found.add("U+000D")
        return sorted(found)


def play(
    name: str,
    *options: str,
    cwd: str = str(CHECKOUT),
    environment: Mapping[str, str] = MappingProxyType({}),
    **variables: object,
) -> Screen:
    """Run a playbook on a terminal of its own; what is "" in the environment is not set."""
    with prepared(name, *options, **variables) as (argv, usual):
        given = {**usual, "ANSIBLE_NOCOLOR": "1", "TERM": "xterm", **environment}
        terminal = pexpect.spawn(
            argv[0], argv[1:], cwd=cwd, timeout=PATIENCE, dimensions=(50, 200),
            env={name: text for name, text in given.items() if text},
        )  # fmt: skip
        ended = terminal.expect([pexpect.EOF, pexpect.TIMEOUT]) == 0
        said = terminal.before.decode("utf-8", "replace")
        terminal.close(force=True)
    return Screen(terminal.exitstatus if ended else None, said)

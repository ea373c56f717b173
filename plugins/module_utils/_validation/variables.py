# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the variables of a role. Pure: values and specifications in, lines out."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, List, Mapping, Sequence, Union

from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import RULES, warn
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.secrets import password
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import (
    Rule,
    integer,
    kind,
    line,
    shown,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._validation.relations import RELATIONS

# The name of a rule, or the values to choose from.
Demand = Union[str, List[object]]
Spec = Mapping[str, Any]
# Their values guess a password before any list does.
_NAMING_RULES = ("profile_name", "ssh_user", "host_name", "ssh_host")
SECRET_RULES = ("password", "password_hash")
# How much two names have in common where one is a slip of the other (difflib): a letter or two.
_SLIP, _BEGINS_ALIKE, _GUESS = 0.9, 0.75, 0.75
NO_TEMPLATE = (
    "cannot be worked out as a template: correct it, or mark it !unsafe where {{ or {% is meant "
    "as it stands"
)
_UNDEFINED = re.compile(r"'(\w+)' is undefined")
_PASSES_ON = re.compile(r"\{\{\s*(\w+)\s*(?:\|\s*default\(.*\)\s*)?\}\}")


@dataclass(frozen=True)
class Variables:
    """The variables to judge: their values, what the role declares, which rules they follow.

    One whose value another variable has passed on is told by the name of that one: a person set it.
    """

    values: Mapping[str, object]
    specs: Mapping[str, Spec] = field(default_factory=dict)
    demands: Mapping[str, Demand] = field(default_factory=dict)
    relations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """One line for each variable that is refused."""
        found = [(name, self._reason(name)) for name in self._judged()]
        alone = [self._line(name, reason) for name, reason in found if reason]
        return alone or self._related()

    def _related(self) -> list[str]:
        """What is wrong only in company; asked when every value alone is right."""
        found = (
            (names[0], RELATIONS[relation](*(self._effective(name) for name in names)))
            for relation, names in self.relations.items()
        )
        return [self._line(name, reason) for name, reason in found if reason]

    def _line(self, name: str, reason: str) -> str:
        return f"{self.origins.get(name, name)}: {reason}."

    def _effective(self, name: str) -> object:
        return self.values.get(name, self.specs.get(name, {}).get("default"))

    def warnings(self) -> list[str]:
        """One line for each variable that is accepted, but probably not meant."""
        found = ((name, self._warning(name)) for name in self._judged())
        return [self._line(name, warning) for name, warning in found if warning]

    def _judged(self) -> list[str]:
        return [*self.specs, *(name for name in self.demands if name not in self.specs)]

    def _reason(self, name: str) -> str | None:
        spec = self.specs.get(name, {})
        if name not in self.values:
            return "must be set" if spec.get("required") else None
        value = self.values[name]
        if spec and _same(value, spec.get("default")):
            return None  # what the role itself says is never refused
        return self._rule(name, spec)(value)

    def _rule(self, name: str, spec: Spec) -> Rule:
        demand = self.demands.get(name, spec.get("choices"))
        if isinstance(demand, list):
            return _each(_choice(demand)) if spec.get("type") == "list" else _choice(demand)
        if demand == "password":
            return lambda value: password(value, self._names())
        if demand:
            return RULES[demand]
        return _secret if spec.get("no_log") else _TYPES[spec.get("type", "str")]

    def _names(self) -> list[str]:
        naming = (n for n, demand in self.demands.items() if demand in _NAMING_RULES)
        return [*self.names, *(str(self.values[name]) for name in naming if name in self.values)]

    def _warning(self, name: str) -> str | None:
        demand = self.demands.get(name)
        if name not in self.values or not isinstance(demand, str) or self._reason(name):
            return None
        return warn(demand, self.values[name])


def origin(value: object) -> str | None:
    """The variable that a template passes on, perhaps with a default."""
    found = _PASSES_ON.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else None


def unresolved(value: object, said: str) -> str:
    """Why a template has no value, where that can be said; empty otherwise.

    Ansible's message quotes pieces of whichever variable it stopped at, and that one may be a
    secret that this one only refers to. So only a name that stands in this template is repeated.
    """
    found = _UNDEFINED.search(said)
    if not found or not re.search(rf"\b{found[1]}\b", str(value)):
        return ""
    return f"cannot be worked out: '{found[1]}' is undefined"


def unknown(names: list[str], prefix: str, known: list[str]) -> list[str]:
    """One line for each name that carries the prefix and that nobody knows (* matches any).

    Nor does Ansible know one in capitals, or with a dash, by another name: it ignores them.
    """
    strangers = (n for n in names if _plain(n).startswith(prefix) and not _matches(n, known))
    return [f"{name} is not a variable of this role{_guess(name, known)}" for name in strangers]


def misspelt(names: list[str], prefix: str, known: list[str]) -> list[str]:
    """One question for each name that nearly carries the prefix: somebody else's may be meant."""
    strangers = (n for n in names if not _plain(n).startswith(prefix) and not _matches(n, known))
    near = (n for n in strangers if _close(_plain(n)[: len(prefix)], [prefix], _BEGINS_ALIKE))
    asked = ((n, _close(_plain(n), known, _SLIP)) for n in near)
    return [f"{n} is not read by this role: did you mean {ours[0]}?" for n, ours in asked if ours]


def _close(name: str, known: list[str], share: float) -> list[str]:
    return difflib.get_close_matches(name, known, n=1, cutoff=share)


def _matches(name: str, known: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in known)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _guess(name: str, known: list[str]) -> str:
    close = _close(_plain(name), known, _GUESS)
    return f": did you mean {close[0]}?" if close else "."


def _same(value: object, other: object) -> bool:
    """Equal and of one kind: True is not 1 here. (Ansible's own types stand for Python's.)"""
    return value == other and kind(value) == kind(other)


def _choice(choices: list[object]) -> Rule:
    def rule(value: object) -> str | None:
        if any(_same(value, choice) for choice in choices):
            return None
        return f"must be one of {', '.join(map(str, choices))}, got {shown(value)}"

    return rule


def _anything(_value: object) -> str | None:
    return None


def _secret(value: object) -> str | None:
    return None if isinstance(value, str) else "must be text: write it in quotes"


def _of_type(*accepted: type) -> Rule:
    def rule(value: object) -> str | None:
        wanted = kind(accepted[0]())
        return None if isinstance(value, accepted) else f"must be {wanted}, got {shown(value)}"

    return rule


def _each(rule: Rule) -> Rule:
    def every(value: object) -> str | None:
        if not isinstance(value, (list, tuple)):
            return _TYPES["list"](value)
        return next(filter(None, map(rule, value)), None)

    return every


def _boolean(value: object) -> str | None:
    words = ("true", "false", "yes", "no", "on", "off")
    if isinstance(value, bool) or (isinstance(value, str) and value.lower() in words):
        return None
    return f"must be true or false, got {shown(value)}"


def _integer(value: object) -> str | None:
    reason = f"must be a whole number, got {shown(value)}"
    return None if integer(value) is not None else reason


_TYPES: dict[str, Rule] = {
    "str": line,
    "path": line,
    "bool": _boolean,
    "int": _integer,
    "list": _of_type(list, tuple),
    "dict": _of_type(dict),
    "raw": _anything,
}

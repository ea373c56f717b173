"""The rooms of plugins/ and who knows whom, as a picture for docs/architecture.md.

A room may know those that stand below it. Each exception has its reason here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
COLLECTION = "ansible_collections.hpcc.notebook.plugins."


@dataclass(frozen=True)
class Room:
    """Files of one subject, by patterns below plugins/, of which the first that fits counts."""

    name: str
    what: str
    files: tuple[str, ...]


ROOMS = (
    Room("public", "what a playbook names", ("modules/*", "action/*", "filter/*", "callback/*")),
    *(Room(path, what, (f"{path}.py", f"{path}/*")) for path, what in {
        "plugin_utils/_doctor": "what the doctor sees on this computer and on the node",
        "plugin_utils/_filters": "what filters do, once they are used",
        "plugin_utils/_connect": "a tunnel that is kept, and actions that reach hosts by ssh",
        "plugin_utils/_installation": "the worker on the node, the installers' cache",
        "plugin_utils/_trust": "authorities of certificates, and browsers that believe them",
        "plugin_utils/_node": "modules and shell programs, sent to a node",
        "plugin_utils/_ssh": "the person's own ssh: its options, sessions, words",
        "plugin_utils/_present": "the terminal and the person at it",
        "module_utils/_doctor": "the checks, by subject",
        "module_utils/_teardown": "what goes, and what stays",
        "module_utils/_validation": "what is wrong with a role's variables",
        "module_utils/_options": "what modules take",
        "module_utils/_job": "the server as a job of the scheduler",
        "module_utils/_server": "launching, recognising, recording, stopping",
        "module_utils/_profile": "configuration, certificate, password, kernels",
        "module_utils/_modulefile": "the module's file",
        "module_utils/_installation": "distributions, the plan, its refusals",
        "module_utils/_ssh": "the route, the tunnel, its faults",
        "module_utils/_rules": "which values are accepted",
        "module_utils/_wheel": "what a wheel holds",
        "module_utils/_edges": "files and processes",
        "module_utils/_common": "errors, quoting, versions, printable text",
    }.items()),
)  # fmt: skip
EXCEPTIONS = {
    ("module_utils/_profile", "module_utils/_server"): (
        "tries a new profile with the server's own command line"
    ),
}


def arrows() -> dict[tuple[str, str], list[str]]:
    """Which room knows which, and by which files."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted((CHECKOUT / "plugins").rglob("*.py")):
        name = str(path.relative_to(CHECKOUT / "plugins"))
        for imported in _imports(path):
            pair = (_room(name), _room(imported))
            if "" not in pair and pair[0] != pair[1]:
                found.setdefault(pair, []).append(f"{name} -> {imported}")
    return found


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(COLLECTION):
            base = (node.module or "").removeprefix(COLLECTION).replace(".", "/")
            for alias in node.names:
                inner = f"{base}/{alias.name}.py"
                yield inner if (CHECKOUT / "plugins" / inner).exists() else f"{base}.py"


def _room(name: str) -> str:
    fits = (room.name for room in ROOMS if any(fnmatchcase(name, p) for p in room.files))
    return next(fits, "")


def upwards(found: Mapping[tuple[str, str], list[str]]) -> dict[tuple[str, str], list[str]]:
    """The arrows that point to a room above."""
    order = [room.name for room in ROOMS]
    return {pair: by for pair, by in found.items() if order.index(pair[0]) > order.index(pair[1])}


def picture() -> str:
    """In Mermaid's language, which GitHub and GitLab draw; without arrows that others imply."""
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'    {_id(room.name)}["{room.name}<br/>{room.what}"]' for room in ROOMS]
    known = arrows()
    down = {pair for pair in known if pair not in EXCEPTIONS}
    lines += [f"    {_id(a)} --> {_id(b)}" for a, b in sorted(down, key=_place)
              if not _implied(a, b, down)]  # fmt: skip
    lines += [f'    {_id(a)} -. "{EXCEPTIONS[a, b]}" .-> {_id(b)}' for a, b in known
              if (a, b) in EXCEPTIONS]  # fmt: skip
    return "\n".join([*lines, "```"])


def _id(name: str) -> str:
    return name.replace("/", "")


def _place(pair: tuple[str, str]) -> tuple[int, ...]:
    order = [room.name for room in ROOMS]
    return tuple(map(order.index, pair))


def _implied(above: str, below: str, down: set[tuple[str, str]]) -> bool:
    """Whether another way leads there, so that one more line would say nothing new."""
    reached, left = set(), [b for a, b in down if a == above and b != below]
    while left:
        room = left.pop()
        reached.add(room)
        left += [b for a, b in down if a == room and b not in reached]
    return below in reached

"""No script for a node runs a program of an installation before it has asked whose that is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "plugins" / "plugin_utils" / "_node" / "scripts"
FUNCTION = re.compile(r"^(\w+)\(\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
# $TREE is what the worker itself has made, in its store.
RUNS = re.compile(r'"\$(?:ROOT|PREFIX|prefix|own|python|tmux)(?:/bin/\w+)?" -')
ASKS = re.compile(r"\b(?:may_run|has_python|probe_python)\b")
# Called only where that was asked.
BEHIND = {
    "doctor/look.sh look_at_session": "find_tmux",
    "doctor/look.sh look_at_options": "has_python",
    "doctor/look.sh look_at_kernel": "has_python",
}


def functions() -> dict[str, str]:
    """By name; what stands in none of them is one, too."""
    found = {}
    for path in sorted(SCRIPTS.rglob("*.sh")):
        text = re.sub(r"^ *#.*", "", path.read_text("utf-8"), flags=re.MULTILINE)
        script = str(path.relative_to(SCRIPTS))
        found |= {f"{script} {name}": body for name, body in FUNCTION.findall(text)}
        found[script] = FUNCTION.sub("", text)
    return found


RUNNING = {name: body for name, body in functions().items() if RUNS.search(body)}


def test_the_scripts_that_run_something_are_found() -> None:
    assert {"installation/probe.sh probe_python", "doctor/look.sh"} <= set(RUNNING)
    assert set(BEHIND) <= set(RUNNING)


@pytest.mark.parametrize("name", sorted(set(RUNNING) - set(BEHIND)))
def test_it_asks_first(name: str) -> None:
    body = RUNNING[name]
    asked, runs = ASKS.search(body), RUNS.search(body)
    assert asked, body
    assert asked.start() < runs.start(), body


@pytest.mark.parametrize(("name", "guard"), BEHIND.items())
def test_what_does_not_ask_is_called_behind_what_does(name: str, guard: str) -> None:
    script, _space, function = name.partition(" ")
    body = functions()[script]
    assert guard in body[: body.index(f"{function}\n")]

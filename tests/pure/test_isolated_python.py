"""No Python of ours looks for modules where it happens to be started: others may write there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SOURCES = [
    path
    for top in ("plugins", "roles", "packages/cluster_helper")
    for path in sorted((CHECKOUT / top).rglob("*"))
    if path.suffix in (".py", ".sh", ".yml", ".j2")
    if "tests" not in path.relative_to(CHECKOUT).parts
]
# `python -m` and `python -c` import from the working directory first, whatever else is said.
STARTS = re.compile(
    r"""(?:python3?["')]?|executable,|python,|PIP\ =\ \[)  # what is started, in a shell or a list
        [\s"',]+                                           # nothing in between, -I for one
        -[mc]\b""",
    re.VERBOSE,
)


def careless(text: str) -> list[str]:
    """The lines that start a Python which is not isolated; comments and prose may."""
    lines = (line.partition("# ")[0].partition("`")[0] for line in text.splitlines())
    return [line.strip() for line in lines if STARTS.search(line)]


@pytest.mark.parametrize(
    "line",
    [
        '"$TREE/bin/python" -m pip install', "python3 -c 'pass'", '[sys.executable, "-m", "pip"]',
        'PIP = ["-m", "pip"]', '[python, "-c", program]',
    ],
)  # fmt: skip
def test_a_careless_start_is_seen(line: str) -> None:
    assert careless(line)


@pytest.mark.parametrize(
    "line", ['"$TREE/bin/python" -I -m pip install', '[sys.executable, "-I", "-m", "pip"]']
)
def test_an_isolated_start_is_none(line: str) -> None:
    assert not careless(line)


def test_every_python_of_ours_is_isolated() -> None:
    found = {str(path.relative_to(CHECKOUT)): careless(path.read_text()) for path in SOURCES}
    assert {name: lines for name, lines in found.items() if lines} == {}

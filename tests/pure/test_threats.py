"""Each threat that we know of has a test, or a reason why it has none here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from threats import THREATS

TESTS = Path(__file__).parents[1]
KNOWN = "1 3 4 5 6 7 8 9 10 11 12 13 14 16 17 18 19 20 21 22 24 25 26 27 28 30 31 32 33 34 35 36 37"


def test_no_threat_is_forgotten():
    assert list(THREATS) == [int(number) for number in KNOWN.split()]


@pytest.mark.parametrize("number", THREATS, ids=lambda number: f"T{number}")
def test_the_tests_of_a_threat_exist(number):
    threat = THREATS[number]
    assert bool(threat.tests) != bool(threat.skipped), "either tests, or a reason why not"
    for test in threat.tests:
        file, _colons, name = test.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    if threat.skipped:
        pytest.skip(f"T{number}, {threat.attack}: {threat.skipped}")

"""Each fault and each threat that we know of is marked at a test, and no mark names another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from faults import FAULTS
from threats import THREATS

CHECKOUT = Path(__file__).parents[2]
# The numbers have gaps on purpose. They stand here a second time: no row goes with its mark.
NUMBERED_FAULTS = """
    F1 F2 F3 F4 F6 F7 F8 F10 F12 F13 F15 F16 F18 F19 F20 F22 F23 F24 F26 F27 F28 F29 F31 F32
    F34 F35 F37 F38 F39 F41 F42 F44 F46 F47 F48 F49 F50 F52 F53 F55 F56 F58 F59 F61 F63 F64
    F65 F66 F67 F69 F71 F73 F74 F75 F76 F78 F80 58 59 61 62 64 65 67 68 70 71 73 74 76 77 79
    80 82 91 92 94 95 97 98 100 101 103 104 106 112 113
"""
THREATS_KNOWN = (
    "1 3 4 5 6 7 8 9 10 11 12 13 14 16 17 18 19 20 21 22 24 25 26 27 28 30 31 32 33 34 35 36 37"
)
PLACES = ("tests/**/test_*.py", "packages/*/tests/**/test_*.py", "molecule/*/tests/test_*.py")


def marks(name: str) -> set[object]:
    """What tests say in the mark of this name."""
    files = [file for place in PLACES for file in CHECKOUT.glob(place)]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    return {value for tree in trees for value in _said(tree, f"pytest.mark.{name}")}


def _said(tree: ast.Module, mark: str) -> Iterator[object]:
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for decorator in (each for test in tests for each in test.decorator_list):
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == mark:
            yield from (ast.literal_eval(argument) for argument in decorator.args)


def test_each_fault_is_marked_at_a_test_and_no_other() -> None:
    assert marks("fault") == set(FAULTS)


def test_no_fault_stands_twice() -> None:
    assert len(FAULTS) == len(set(FAULTS))


def test_each_threat_is_marked_at_a_test_and_no_other() -> None:
    assert marks("threat") == set(THREATS)


def test_no_numbered_fault_is_forgotten() -> None:
    numbers = {row.split()[0] for row in FAULTS}
    assert {one for one in numbers if re.fullmatch(r"F?[0-9]+", one)} == set(
        NUMBERED_FAULTS.split()
    )


def test_no_threat_is_forgotten() -> None:
    assert list(THREATS) == [int(number) for number in THREATS_KNOWN.split()]

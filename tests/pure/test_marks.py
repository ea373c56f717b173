"""Each fault and each threat that we know of is marked at a test, and no mark names another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from faults import FAULTS
from threats import THREATS

CHECKOUT = Path(__file__).parents[2]
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

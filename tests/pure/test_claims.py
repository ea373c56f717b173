"""No promise of privacy stands in README or docs/security.md that nothing attacks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from claims import CLAIMS, Claim

CHECKOUT = Path(__file__).parents[2]


def promises() -> list[str]:
    """Each bullet of the README's section, and each row of the table."""
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## What keeps it private\n")[2].partition("\n## ")[0]
    bullets = re.split(r"^\* ", section, flags=re.MULTILINE)[1:]
    table = (CHECKOUT / "docs/security.md").read_text(encoding="utf-8").partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    return [*bullets, *rows]


def test_the_documents_have_promises() -> None:
    assert len(promises()) > 20


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise[:60])
def test_a_promise_is_attacked(promise: str) -> None:
    assert [claim for claim in CLAIMS if claim.words in promise]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.words)
def test_an_attack_belongs_to_a_promise_that_stands_there_and_exists(claim: Claim) -> None:
    assert [promise for promise in promises() if claim.words in promise]
    assert claim.attacks
    assert claim.careless
    for attack in claim.attacks:
        file, _colons, name = attack.partition("::")
        tree = ast.parse((CHECKOUT / "tests" / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

"""What tests and tools name of our modules is there, also where the test runs only on a cluster."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[2]
OURS = ("ansible_collections.hpcc.notebook.plugins", "cluster_helper")
FILES = sorted(CHECKOUT.glob("tests/**/*.py")) + sorted(CHECKOUT.glob("packages/*/tests/**/*.py"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def missing(text: str) -> list[str]:
    """Each name that a module of ours does not have."""
    tree = ast.parse(text)
    found = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and ours(each)]
    modules: dict[str, ModuleType] = {}
    lost = []
    for imported in found:
        for alias in imported.names:
            value = named(str(imported.module), alias.name)
            if value is None:
                lost.append(f"{imported.module}.{alias.name}")
            elif isinstance(value, ModuleType):
                modules[alias.asname or alias.name] = value
    used = attributes(tree, modules)
    return lost + [f"{name}.{part}" for name, part in used if not hasattr(modules[name], part)]


def ours(imported: ast.ImportFrom) -> bool:
    return str(imported.module).startswith(OURS)


def named(module: str, name: str) -> object:
    """What an import would give; nothing where it would fail."""
    home = importlib.import_module(module)
    if not hasattr(home, name) and hasattr(home, "__path__"):
        try:
            return importlib.import_module(f"{module}.{name}")
        except ModuleNotFoundError:
            return None
    return getattr(home, name, None)


def attributes(tree: ast.AST, modules: dict[str, ModuleType]) -> Iterator[tuple[str, str]]:
    """What is asked of these modules, but for where their name stands for something else."""
    for child in ast.iter_child_nodes(tree):
        known = modules
        if isinstance(child, FUNCTIONS):
            known = {name: known[name] for name in known if name not in own_names(child)}
        if isinstance(child, ast.Attribute) and is_one_of(known, child.value):
            yield ast.unparse(child.value), child.attr
        yield from attributes(child, known)


def is_one_of(modules: dict[str, ModuleType], value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in modules


def own_names(function: ast.AST) -> set[str]:
    """What a function names for itself."""
    inside = list(ast.walk(function))
    stored = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {n.arg for n in inside if isinstance(n, ast.arg)}


IMPORTS = "from ansible_collections.hpcc.notebook.plugins.module_utils._common import moments\n"


@pytest.mark.parametrize(
    "use", ["moments.moment_off()", "def f():\n  return moments.moment_off", "x = [moments.x, 1]"]
)
def test_a_name_that_is_gone_is_seen(use: str) -> None:
    assert len(missing(IMPORTS + use)) == 1


def test_a_module_that_is_gone_is_seen() -> None:
    assert missing(IMPORTS.replace("moments", "momentss")) == [
        f"{OURS[0]}.module_utils._common.momentss"
    ]


@pytest.mark.parametrize(
    "use",
    ["moments.moment_of", "def f(moments): moments.x", "def f():\n  moments = 1\n  moments.x"],
)
def test_what_is_there_or_stands_for_something_else_is_not(use: str) -> None:
    assert missing(IMPORTS + use) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_each_name_of_ours_is_there(path: Path) -> None:
    assert missing(path.read_text("utf-8")) == []

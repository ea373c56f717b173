"""The types that are stated for Ansible are of things that it has."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

STUBS = Path(__file__).parents[1] / "stubs"
FILES = [path for path in sorted(STUBS.rglob("*.pyi")) if path.name != "__init__.pyi"]


def missing(path: Path) -> list[str]:
    """What a stub states and the module does not have; private classes stand for values."""
    name = ".".join(path.relative_to(STUBS).with_suffix("").parts)
    module, tree = importlib.import_module(name), ast.parse(path.read_text())
    stated = [n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    public = [node for node in stated if not node.name.startswith("_")]
    found = [node.name for node in public if not hasattr(module, node.name)]
    for node in public:
        real = getattr(module, node.name, None)
        functions = [node] if isinstance(node, ast.FunctionDef) else _methods(node)
        for function in functions:
            of = real if function is node else getattr(real, function.name, None)
            found += [f"{node.name}.{function.name}({word})" for word in _unknown(function, of)]
    return found


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]


def _unknown(stated: ast.FunctionDef, real: object) -> list[str]:
    """The parameters that it would not take."""
    if not callable(real):
        return ["is not there"]
    known = inspect.signature(real).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return []
    words = [word.arg for word in (*stated.args.args, *stated.args.kwonlyargs)]
    return [word for word in words if word not in ("self", *known)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_stated_for_ansible_is_there(path: Path) -> None:
    assert missing(path) == []


def test_what_is_not_there_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "STUBS", tmp_path)
    stub = tmp_path / "ansible" / "errors.pyi"
    stub.parent.mkdir()
    stub.write_text(
        "class AnsibleError:\n    def f(self): ...\nclass Gone: ...\n"
        "class AnsibleActionFail:\n    def __init__(self, message, colour): ...\n"
    )
    found = missing(stub)
    assert found == ["Gone", "AnsibleError.f(is not there)", "AnsibleActionFail.__init__(colour)"]

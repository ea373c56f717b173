# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of module_utils, with all of ours that it imports, as one program for `python -I -c`.

So what a node's own Python is asked is written in the same words as everything else.
"""

from __future__ import annotations

import ast
import base64
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

_ROOT = "ansible_collections.hpcc.notebook.plugins"
_PLUGINS = Path(__file__).parents[1]
LONGEST = 100_000  # bytes; Linux takes 131,072 in one argument
_LOADER = """\
import base64, importlib.abc, importlib.util, json, sys, zlib
SOURCES = json.loads(zlib.decompress(base64.b64decode({packed!r})))
class Sent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        package = any(known.startswith(name + ".") for known in SOURCES)
        if package or name in SOURCES:
            return importlib.util.spec_from_loader(name, self, is_package=package)
    def exec_module(self, module):
        name = module.__name__
        exec(compile(SOURCES.get(name, ""), name, "exec"), module.__dict__)
sys.meta_path.insert(0, Sent())
importlib.import_module({name!r}).main()
"""


def program(name: str) -> str:
    """One that runs `main` of this module; it needs a Python 3.8 and nothing on its disk."""
    packed = base64.b64encode(zlib.compress(json.dumps(sources(name)).encode(), 9)).decode()
    return _LOADER.format(packed=packed, name=name)


def sources(name: str) -> dict[str, str]:
    """The module and all of ours that it needs, by their full names."""
    found: dict[str, str] = {}
    left = [name]
    while left:
        module = left.pop()
        if module not in found:
            found[module] = _file(module).read_text(encoding="utf-8")
            left += _imports(found[module])
    return found


def _file(module: str) -> Path:
    return _PLUGINS.joinpath(*module.removeprefix(f"{_ROOT}.").split(".")).with_suffix(".py")


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_ROOT):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (one for one in inner if _file(one).exists())
            if node.module and _file(node.module).exists():
                yield node.module

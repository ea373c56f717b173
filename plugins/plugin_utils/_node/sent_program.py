# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of module_utils, with all of ours that it imports, as one program for `python -I -c`.

So what a node's own Python is asked is written in the same words as everything else. It goes into
an argument, which has a limit; module_program.py sends modules, with all that they might import.
"""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.imported import (
    PACKAGE,
    closure,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import execution

PLUGINS = Path(__file__).parents[2]
LONGEST = 100_000  # bytes; Linux takes 131,072 in one argument
_PROGRAM = """\
import base64, json, sys, zlib
texts = json.loads(zlib.decompress(base64.b64decode({packed!r})))
runner = {{"__name__": "runner"}}
exec(compile(texts[{execution!r}], "runner", "exec"), runner)
sys.meta_path.insert(0, runner["Texts"](texts))
__import__({name!r})
sys.modules[{name!r}].main()
"""


def program(name: str) -> str:
    """One that runs `main` of this module; it needs a Python 3.8 and nothing on its disk."""
    texts = {**sources(name), **sources(execution.__name__)}
    return _PROGRAM.format(packed=packed(texts, 9), name=name, execution=execution.__name__)


def packed(value: object, level: int) -> str:
    """A plain value as a text that any shell and Python leaves alone; what is sent unpacks it."""
    return base64.b64encode(zlib.compress(json.dumps(value).encode(), level)).decode()


def sources(name: str) -> dict[str, str]:
    """The module and all of ours that it needs, by their full names."""
    return closure(name, _text)


def file_of(module: str) -> Path:
    """Where a module of ours lies on the controller."""
    return PLUGINS.joinpath(*module.removeprefix(f"{PACKAGE}.").split(".")).with_suffix(".py")


@cache
def _text(module: str) -> str | None:
    path = file_of(module)
    return path.read_text(encoding="utf-8") if path.exists() else None

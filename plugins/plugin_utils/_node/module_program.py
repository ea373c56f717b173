# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module of ours as one program for the Python of a node, and what it answers.

Ansible's own wrapping costs more than the work: it reads and parses all that a module imports, adds
the same amount of its own, and unpacks it on the node. None of that is needed by our modules.
"""

from __future__ import annotations

import importlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import behind
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.imported import PACKAGE
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import execution
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.sent_program import (
    packed,
    sources,
)

# It is read by every Python that there is, so that an old one can say what it is.
_PROGRAM = """
import sys
if sys.version_info < (3, 8):
    sys.exit("error: Python 3.8 or newer is needed, and this is " + sys.version.split()[0])
import base64, json, zlib
texts, (more, module, given) = (
    json.loads(zlib.decompress(base64.b64decode(packed)).decode())
    for packed in ("{texts}", "{words}")
)
texts.update(more)
runner = {{"__name__": "runner"}}
exec(compile(texts["{execution}"], "runner", "exec"), runner)
runner["run"](texts, module, given)
"""
# Results by which a node would decide about more than itself.
_CONTROLS = ("_ansible", "ansible_", "exception", "deprecations", "invocation")


@dataclass(frozen=True)
class ModuleProgram:
    """The program, the mark of its answer, and what that must not show."""

    program: bytes
    mark: str
    secret: frozenset[str]

    def answer(self, output: str) -> dict[str, Any] | None:
        """What the module reports; nothing when it did not come to its end."""
        lines = behind(self.mark, output)
        if len(lines) != 1:
            return None
        found: dict[str, Any] = remove_values(json.loads(lines[0]), self.secret)
        return {name: value for name, value in found.items() if not name.startswith(_CONTROLS)}


def module_program(
    name: str,
    arguments: Mapping[str, Any],
    *,
    check: bool,
    also: Mapping[str, str] = MappingProxyType({}),
) -> ModuleProgram:
    """The module of this name with arguments that it takes; NotebookError when it does not.

    `also` are texts that it may import besides our own.
    """
    validated = ArgumentSpecValidator(**interface(name)).validate(dict(arguments))
    if validated.errors.errors:
        error = validated.errors.errors[0]
        unknown = isinstance(error, UnsupportedError)
        where = f"Unsupported parameters for ({name}) module" if unknown else ""
        raise NotebookError(str(validated.errors.msg).rstrip("."), where)
    mark = f"hpcc-answer-{secrets.token_hex(8)}"
    given = {"params": validated.validated_parameters, "check_mode": check, "mark": mark}
    words = packed([dict(also), f"{PACKAGE}.modules.{name}", given], 1)
    program = _PROGRAM.format(texts=texts(name), words=words, execution=execution.__name__)
    return ModuleProgram(program.encode(), mark, frozenset(validated._no_log_values))


def interface(name: str) -> dict[str, Any]:
    """What the module of this name takes; all that it needs to do its work is not loaded here."""
    options = importlib.import_module(f"{PACKAGE}.module_utils._options.{name}")
    found: dict[str, Any] = options.INTERFACE
    return found


@cache
def texts(name: str) -> str:
    """The module of this name and all that it may import, packed."""
    modules = (f"{PACKAGE}.modules.{name}", execution.__name__)
    return packed({each: text for one in modules for each, text in sources(one).items()}, 1)

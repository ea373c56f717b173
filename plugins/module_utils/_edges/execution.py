# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: runs a module of ours on the node from texts in memory: nothing is unpacked there.

The controller sends this file and all that a module may import as one program on standard input.
The options are validated already; of Ansible's own code, nothing is sent and nothing is needed.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any, Mapping, NoReturn

BASIC = "ansible.module_utils.basic"


class Texts:
    """Finds and loads modules whose texts are given."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        parents = (name.split(".")[:-1] for name in (*texts, BASIC))
        self._packages = {".".join(p[:i]) for p in parents for i in range(1, len(p) + 1)}

    def __contains__(self, name: object) -> bool:
        """Whether a module comes from here."""
        return name in self._texts or name in self._packages

    def find_spec(self, name: str, *_where: object) -> ModuleSpec | None:
        """As importlib asks."""
        if name not in self:
            return None
        # A text is compiled when something of it is used: trials, removals and the like rarely are.
        loader: Any = self if name in self._packages else LazyLoader(self)  # type: ignore[arg-type]
        spec = ModuleSpec(name, loader, origin=f"hpcc.notebook/{name}.py")
        spec.has_location = True
        spec.submodule_search_locations = [] if name in self._packages else None
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """Python's own kind of module will do."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the text in the module."""
        name = module.__name__
        code = compile(self.get_source(name), f"hpcc.notebook/{name}.py", "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - it is our own text

    def get_source(self, name: str) -> str:
        """For tracebacks, and for modules that send themselves to another Python."""
        return self._texts.get(name, "")


def run(texts: Mapping[str, str], module: str, given: Mapping[str, Any]) -> None:
    """Run the module; `given` has its params, check_mode, and the mark of its answer."""
    sys.meta_path.insert(0, Texts(texts))
    basic = ModuleType(BASIC)
    basic.AnsibleModule = _ansible_module(given)  # type: ignore[attr-defined]
    sys.modules[BASIC] = basic
    __import__(module)
    sys.modules[module].main()


def _ansible_module(given: Mapping[str, Any]) -> type:
    """What our modules use of Ansible's class of this name."""

    class AnsibleModule:
        def __init__(self, **_interface: Any) -> None:
            self.params: dict[str, Any] = dict(given["params"])
            self.check_mode: bool = given["check_mode"]
            self._warnings: list[str] = []

        def warn(self, warning: str) -> None:
            self._warnings.append(warning)

        def exit_json(self, **result: Any) -> NoReturn:
            self._end(0, result)

        def fail_json(self, msg: str, **result: Any) -> NoReturn:
            self._end(1, {"changed": False, **result, "failed": True, "msg": msg})

        def _end(self, code: int, result: Mapping[str, Any]) -> NoReturn:
            warned = {"warnings": self._warnings} if self._warnings else {}
            answer = json.dumps({**result, **warned})
            sys.stdout.write(f"\n{given['mark']} {answer}\n")
            sys.stdout.flush()
            raise SystemExit(code)

    return AnsibleModule

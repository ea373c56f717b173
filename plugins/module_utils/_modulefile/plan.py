# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to happen to a modulefile. Pure: what the host's shell saw goes in, a plan comes out."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Iterable, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._modulefile.text import (
    MARK,
    TEXTS,
    Module,
)

_ENDINGS = {"lua": ".lua", "tcl": ""}
_MODE = "-rw-r--r--"
_OTHER_NAME = "Choose another lmod_module_name"


@dataclass(frozen=True)
class File:
    """What lies at one of the two paths."""

    kind: str  # missing, file, directory or other
    mode: str = ""
    content: str = ""

    @property
    def ours(self) -> bool:
        return self.kind == "file" and MARK in self.content

    def is_as(self, content: str) -> bool:
        return self.kind == "file" and (self.mode, self.content) == (_MODE, content)


@dataclass(frozen=True)
class SeenModules:
    """The modulefile's name and place, without an ending, and what lies there and around it.

    The modules around it are pairs: whether an earlier run of ours wrote it, and its path.
    """

    name: str  # as in `module load lab/python/26.3`
    place: str
    site: str
    base: str
    base_kind: str
    base_problem: str  # why nothing can be written there
    files: Mapping[str, File]
    inside: tuple[tuple[bool, str], ...] = ()
    above: tuple[tuple[bool, str], ...] = ()
    beside: tuple[tuple[bool, str], ...] = ()


@dataclass(frozen=True)
class ModulefilePlan:
    """Which file is written, which ones of earlier runs are removed, and why."""

    path: str
    syntax: str
    reason: str = ""
    content: str = ""  # empty when nothing is written
    remove: tuple[str, ...] = ()
    diff: tuple[Mapping[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def seen(found: Answers, name: str) -> SeenModules:
    """The host's answers about this module, with types."""

    def one(name: str) -> str:
        return found.get(name, [""])[0]

    def modules(name: str) -> tuple[tuple[bool, str], ...]:
        pairs = (line.partition(" ") for line in found.get(name, []))
        return tuple((whose == "ours", path) for whose, _space, path in pairs)

    def file(syntax: str) -> File:
        content = bytes.fromhex(one(f"{syntax}_hex")).decode("utf-8", "replace")
        return File(one(syntax), one(f"{syntax}_mode"), content)

    return SeenModules(
        name=name,
        place=one("place"),
        site=one("site"),
        base=one("base"),
        base_kind=one("base_kind"),
        base_problem=one("base_problem"),
        files={syntax: file(syntax) for syntax in _ENDINGS},
        inside=modules("inside"),
        above=modules("above"),
        beside=modules("beside"),
    )


def plan(found: SeenModules, wanted: str, module: Module) -> ModulefilePlan:
    """Decide.

    Args:
        found: what the host's shell saw.
        wanted: lua, tcl, auto (whatever the site has), or absent.
        module: what the modulefile is to say.
    """
    syntax = wanted if wanted in _ENDINGS else found.site
    path = found.place + _ENDINGS[syntax]
    if wanted == "absent":
        return _removal(found, path, syntax)
    content = TEXTS[syntax](module)
    same = found.files[syntax].is_as(content)
    _refuse(found, path, syntax)
    if not found.files[syntax].ours:
        _refuse_hiding(found)
    if not same:
        _refuse_unwritable(found, path)
    stale = [found.place + _ENDINGS[s] for s in _ENDINGS if s != syntax and found.files[s].ours]
    stale += [other for ours, other in found.above if ours]
    return ModulefilePlan(
        path=path,
        syntax=syntax,
        reason=_reason(found.files[syntax], content) or ("an older one is there" if stale else ""),
        content="" if same else content,
        remove=tuple(stale),
        diff=(*_written(found, path, syntax, content), *_gone(found, stale)),
        warnings=tuple(_warnings(found, path, syntax)),
    )


def _removal(found: SeenModules, path: str, syntax: str) -> ModulefilePlan:
    stale = [found.place + _ENDINGS[s] for s in _ENDINGS if found.files[s].ours]
    reason = "it is there" if stale else ""
    return ModulefilePlan(path, syntax, reason, "", tuple(stale), tuple(_gone(found, stale)))


def _reason(file: File, content: str) -> str:
    if file.is_as(content):
        return ""
    if file.kind == "missing":
        return "missing"
    if not file.ours:
        return "another modulefile has its name; a copy of it is kept"
    return "content differs" if file.content != content else f"mode {file.mode}"


def _refuse(found: SeenModules, path: str, syntax: str) -> None:
    """Whatever makes the module useless, or hides one of the person's."""
    file = found.files[syntax]
    if found.base_kind != "directory":
        raise NotebookError("is not a directory", found.base, "Move it away")
    if file.kind in ("directory", "other"):
        kind = "a directory" if file.kind == "directory" else "not a regular file"
        raise NotebookError(f"is {kind}, where the modulefile belongs", path, _todo(found))
    _refuse_hidden(found, path)


def _refuse_unwritable(found: SeenModules, path: str) -> None:
    directory = posixpath.dirname(path)
    where = "" if found.base == directory else f", and {directory} would be made in it"
    todo = "Choose another lmod_module_dir, or ask the owner of this one"
    if found.base_problem:
        raise NotebookError(f"cannot be written to ({found.base_problem}){where}", found.base, todo)


def _refuse_hidden(found: SeenModules, path: str) -> None:
    """Lmod looks into a directory of modulefiles before it looks at a file of the same name."""
    if found.inside:
        what = f"is a module of the same name, and `module load` would never find {path}"
        raise NotebookError(what, found.inside[0][1], _todo(found))


def _refuse_hiding(found: SeenModules) -> None:
    """A new miniforge/26.3 or lab/python/26.3 can change what an existing name loads.

    A file two directories above, such as lab.lua for lab/python/26.3, is loaded as before.
    """
    root = len(found.place) - len(found.name)
    foreign = [path for ours, path in found.above if not ours]
    for path in foreign:
        there = path[root:-4] if path.endswith(".lua") else path[root:]
        if there == posixpath.dirname(found.name):
            what = f"`module load {there}` loads this modulefile, and would load ours instead"
            raise NotebookError(what, path, _OTHER_NAME)
        if not found.name.startswith(f"{there}/"):
            loaded = posixpath.dirname(there)
            what = f"`module load {loaded}` loads this modulefile, and would no longer find any"
            raise NotebookError(what, path, _OTHER_NAME)


def _todo(found: SeenModules) -> str:
    return f"{_OTHER_NAME}, such as {found.name}/hpcc, or move it away"


def _warnings(found: SeenModules, path: str, syntax: str) -> Iterable[str]:
    """What changes for other modulefiles although all of them can still be loaded."""
    if found.files[syntax].ours:
        return
    versions = [posixpath.basename(other) for ours, other in found.beside if not ours]
    name = posixpath.dirname(found.name)
    if versions:
        yield (
            f"{path} comes beside {', '.join(versions[:3])}: `module load {name}` without a "
            "version loads the highest one, unless a default is marked"
        )
    (other,) = (each for each in _ENDINGS if each != syntax)
    if found.files[other].kind == "file" and not found.files[other].ours and syntax == "lua":
        yield f"{path} comes before {found.place}, which Lmod then no longer loads"


def _written(
    found: SeenModules, path: str, syntax: str, content: str
) -> Iterable[Mapping[str, str]]:
    file = found.files[syntax]
    if not file.is_as(content):
        before = f"{path} ({file.mode})" if file.kind == "file" else f"{path} (missing)"
        yield {
            "before_header": before,
            "after_header": f"{path} ({_MODE})",
            "before": file.content,
            "after": content,
        }


def _gone(found: SeenModules, stale: Iterable[str]) -> Iterable[Mapping[str, str]]:
    contents = {found.place + _ENDINGS[s]: found.files[s].content for s in _ENDINGS}
    for path in stale:
        before = contents.get(path, "")
        yield {"before_header": path, "after_header": f"{path} (removed)", "before": before,
               "after": ""}  # fmt: skip

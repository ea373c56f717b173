# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What teardown removes: how a host is asked, and what a person is told. Pure: text in and out.

A host that has lost its Python can still be asked: it is plain POSIX shell.
"""

from __future__ import annotations

from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.quoting import (
    shell_path,
    shell_word,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._modulefile.text import MARK
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import (
    ENGINES,
    ENGINES_MARK,
    SERVER_CONFIG,
)

# In the order of their removal: a server needs its profile and its Python until it has stopped.
PARTS = ("server", "profile", "parallel", "modulefile", "installation")

_QUESTIONS = """
emit home "$HOME"
for record in "$HOME"/.ipython/profile_{profile}/run/*.json; do
    [ -f "$record" ] && name=${{record##*/}} && emit server "${{name%.json}}"
done
for mark in security run log {config}; do
    [ -e "$HOME"/.ipython/profile_{profile}/$mark ] || continue
    emit profile "$HOME"/.ipython/profile_{profile} && break
done
engines="$HOME"/.ipython/profile_{parallel}/{engines}
[ -f "$engines" ] && head -n 1 "$engines" | grep -qF {engines_mark} &&
    emit parallel "${{engines%/*}}"
for file in {modulefile}.lua {modulefile}; do
    [ -f "$file" ] && grep -q {mark} "$file" &&
        emit modulefile "$file"
done
for path in {prefix} {prefix}.d; do
    [ -L "$path" ] || [ -d "$path/markers" ] && emit installation "$path"
done
[ -x {prefix}/bin/python ] && emit python yes
end_answers
"""

_KEPT = "Notebooks stay, and so does whatever else is yours, even inside of these."


def questions(profile: str, modulefile: str, prefix: str, parallel: str) -> str:
    """The script that looks for what we made, to stand behind answer.sh; it changes nothing."""
    return _QUESTIONS.format(
        profile=shell_word(profile),
        parallel=shell_word(parallel),
        config=SERVER_CONFIG,
        engines=ENGINES,
        engines_mark=shell_word(ENGINES_MARK),
        modulefile=shell_path(modulefile),
        prefix=shell_path(prefix),
        mark=shell_word(MARK),
    )


def removable(found: Answers, parts: Sequence[str]) -> list[str]:
    """The parts that are there and wanted away, and the server whenever it would lose its own."""
    there = [part for part in PARTS if part in parts and found.get(part)]
    needs_stop = {"profile", "installation"} & set(there) or "server" in parts
    can_stop = bool(found.get("python")) and bool(found.get("profile"))
    stopped = ["server"] if needs_stop and can_stop else []
    return [*stopped, *(part for part in there if part != "server")]


def shown(found: Answers, parts: Sequence[str], where: str) -> list[str]:
    """The list that a person sees before anything happens."""
    going = removable(found, parts)
    if not going:
        return [f"Nothing of ours is left for {where}."]
    width = max(map(len, PARTS))
    lines = [f"    {part.ljust(width)}  {_what(found, part)}" for part in going]
    return [f"This is removed for {where}:", *lines, _KEPT]


def require_parts(parts: Sequence[str]) -> None:
    """Refuse a part that there is not."""
    strangers = sorted(set(parts) - set(PARTS))
    if strangers or not parts:
        got = ", ".join(strangers) or "none"
        raise NotebookError(f"must be of {', '.join(PARTS)}, got {got}", "teardown_parts")


def _what(found: Mapping[str, Sequence[str]], part: str) -> str:
    if part != "server":
        return ", ".join(found[part])
    hosts = ", ".join(found.get("server", []))
    return f"stopped first, on {hosts}" if hosts else "not running by its record"

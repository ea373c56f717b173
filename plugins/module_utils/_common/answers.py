# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shell program on a node answers, told from all else that a login prints. Pure."""

from __future__ import annotations

import json
import re
from typing import Dict, Iterable, Iterator, List

from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable

Answers = Dict[str, List[str]]

# As `end_answers` in answer.sh says it.
_END = "end"
# As `emit` in answer.sh writes them: plain, or in hexadecimal digits.
_ANSWER = re.compile(r"(\w+)(?:=(.*)|:([0-9a-f]*))", re.ASCII | re.DOTALL)


def answers(output: str, mark: str) -> Answers:
    """The values in the lines that bear the mark of this one call, fit to be shown.

    Nothing when the last of them, which says that it is the last, did not arrive.
    """
    found: Answers = {}
    lines = behind(mark, output)
    if _END not in lines:
        return found
    for name, value in _pairs(lines[: lines.index(_END)]):
        found.setdefault(name, []).append(printable(value))
    return found


def behind(mark: str, output: str) -> list[str]:
    """What stands behind the mark, and a space, in each line that bears it.

    Whoever printed before may have left a line without its end. Only a newline ends a line:
    whatever else Python takes for that may be in a value.
    """
    lines = (line.partition(f"{mark} ") for line in output.split("\n"))
    return [rest[:-1] if rest.endswith("\r") else rest for _noise, marked, rest in lines if marked]


def reason_in(output: str) -> str | None:
    """What a trial printed last: the reason against what was tried."""
    lines = output.strip().splitlines() or [""]
    try:
        reason = json.loads(lines[-1])["reason"]
    except (ValueError, KeyError, TypeError):
        return lines[-1] or "no answer"
    return None if reason is None else str(reason)


def _pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        answer = _ANSWER.fullmatch(line)
        if answer and answer[3] is None:
            yield answer[1], answer[2]
        elif answer and len(answer[3]) % 2 == 0:
            yield answer[1], bytes.fromhex(answer[3]).decode("utf-8", "replace")

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ssh, as people write them in a variable or behind the command. Pure.

Every task of a play reads them, to find the login that it shares: this file imports little.
"""

from __future__ import annotations

import getopt
import shlex
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError

# All of them, as getopt writes them.
_OPTIONS = "46AaB:b:Cc:D:E:e:F:fGgI:i:J:KkL:l:Mm:NnO:o:P:p:Q:qR:S:sTtVvW:w:XxYy"


def parsed(name: str, text: str) -> list[tuple[str, str]]:
    """Options of ssh and their values, from a variable of this name."""
    try:
        options, rest = getopt.getopt(shlex.split(text), _OPTIONS)
    except (getopt.GetoptError, ValueError) as error:
        raise NotebookError(f"is not what ssh understands: {error}", name) from error
    if rest:
        raise NotebookError(f"must hold options of ssh only, got {rest[0]!r}", name)
    return options


def split(words: Sequence[str]) -> tuple[list[tuple[str, str]], str]:
    """The options among the words behind ssh, and the bare name of the host."""
    options, rest = getopt.getopt(list(words), _OPTIONS)
    return options, rest[0].rpartition("@")[2]

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One home directory that hosts call by different names. Pure: a path and a text in."""

from __future__ import annotations

import ast
import re

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError

_CERTIFICATE = re.compile(rb"^c\.ServerApp\.certfile = (['\"].*['\"])$", re.MULTILINE)
_BELOW = re.compile(r"(?s)(.*)/\.ipython/(profile_[^/]*)/security/notebook\.crt")


def refuse_other_home(path: str, content: bytes) -> None:
    """Such hosts would write over each other's paths for ever, and a server would find none."""
    there, here = _home(content), path.rpartition("/.ipython/")[0]
    if there and there != here:
        what = f"was made where your home directory is called {there}; on this host it is {here}"
        todo = (
            "Use only hosts that call it by one name; if it has moved for good, remove this file "
            "and run setup.yml"
        )
        raise NotebookError(what, path, todo)


def _home(content: bytes) -> str:
    """The home that a configuration of ours speaks of; empty when it is no such."""
    found = _CERTIFICATE.search(content)
    try:
        value = str(ast.literal_eval(found[1].decode())) if found else ""
    except (ValueError, SyntaxError):
        return ""  # damaged, which others say
    below = _BELOW.fullmatch(value)
    return below[1] if below else ""

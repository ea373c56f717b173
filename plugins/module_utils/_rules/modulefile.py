# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the modulefile: its name and the text that `module help` and `whatis` show."""

from __future__ import annotations

import re

from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import (
    list_of,
    matching,
    text,
)

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}"

_module_name = matching(
    re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,2}}"),
    "a module's name such as anaconda or miniforge/26.3.2-3",
)


def module_name(value: object) -> str | None:
    """What people load; the ending of the file is added by the syntax."""
    reason = _module_name(value)
    if not reason and str(value).endswith(".lua"):
        return "must not end in .lua, which is added where it belongs"
    return reason


module_names = list_of(module_name)
module_text = text

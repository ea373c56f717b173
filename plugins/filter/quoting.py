# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text as one literal or word of another language, for templates."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.hpcc.notebook.plugins.module_utils import quoting


def _filter(quote: Callable[[Any], str]) -> Callable[[Any], str]:
    """A refusal must name the filter: the template that used it is all that a person sees."""

    @wraps(quote)
    def quoted(value: Any) -> str:
        try:
            return quote(value)
        except (ValueError, TypeError, AttributeError) as error:
            raise AnsibleFilterError(f"{quote.__name__}: {error}") from error

    return quoted


class FilterModule:
    """The escapers of module_utils/quoting.py under their own names."""

    def filters(self) -> dict[str, Callable[[Any], str]]:
        languages = (quoting.lua_string, quoting.tcl_word, quoting.shell_word, quoting.shell_path)
        return {quote.__name__: _filter(quote) for quote in languages}

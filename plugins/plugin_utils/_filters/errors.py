# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An error of ours, said as Ansible expects it of a filter."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ansible.errors import AnsibleFilterError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def as_filter(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The same function, whose errors tell which task they belong to."""

    @wraps(function)
    def filtering(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return function(*arguments, **options)
        except NotebookError as error:
            raise AnsibleFilterError(typed(str(error))) from error

    return filtering

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: a private directory for a while, on a node and on the person's computer."""

from __future__ import annotations

import contextlib
from typing import Iterator

from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import kernel_trial


@contextlib.contextmanager
def scratch(prefix: str, top: str | None = None) -> Iterator[str]:
    """A private directory for a while, as a trial has one; NotebookError when there can be none."""
    with contextlib.ExitStack() as until_the_end:
        try:
            made = until_the_end.enter_context(kernel_trial.scratch(prefix, top))
        except OSError as error:
            where = error.filename or "the directory for temporary files"
            raise files.explained(error.strerror or str(error), str(where)) from error
        yield made

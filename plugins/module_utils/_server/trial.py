# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: start the new server beside the old one, on a socket of its own, to see it serve.

What replaces a server is proved before that one is ended, whatever was changed: packages,
options, certificate, password, front end, transport, modules or threads.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import MappingProxyType
from typing import Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    Launch,
    Layout,
    Trial,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.start import serving

LEFT = "The server that runs was left as it is."


def require_serving(
    layout: Layout,
    launch: Launch,
    python: str,
    timeout: float,
    granted: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Refuse what could not replace a running server; `granted` is as of `serving`."""
    trial = layout.beside()
    clear(trial)
    try:
        tried = replace(launch, transport="socket", idle=0)
        with serving(trial, tried, python, timeout, granted):
            pass
    except NotebookError as error:
        raise NotebookError(error.what, error.where, f"{error.todo} {LEFT}".strip()) from error
    finally:
        clear(trial)
    files.remove(trial.log)


def clear(trial: Trial) -> None:
    """Remove what a trial leaves, also one that was killed."""
    files.remove(trial.socket)
    shutil.rmtree(trial.runtime, ignore_errors=True)

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension that shows how long a job goes on: where it lies, and what it is told. Pure.

JupyterLab and Notebook 7 find it in the profile, by JUPYTER_PATH; the installation may be somebody
else's. Its source is packages/time-left.
"""

from __future__ import annotations

import json

from ansible_collections.hpcc.notebook.plugins.module_utils._profile.time_left_built import (
    SCRIPTS,
    VERSION,
)

NAME = "hpcc-notebook-time-left"
DIRECTORIES = (
    "jupyter/labextensions",
    f"jupyter/labextensions/{NAME}",
    f"jupyter/labextensions/{NAME}/static",
)
PACKAGE = f"{DIRECTORIES[1]}/package.json"

_BUILD = {"load": "static/remoteEntry.js", "extension": "./extension"}
_PACKAGE = {
    "name": NAME,
    "version": VERSION,
    "jupyterlab": {"extension": True, "_build": _BUILD},
}
_MANAGED = "// Managed by hpcc.notebook: edits are lost.\n"
FILES = {
    PACKAGE: json.dumps(_PACKAGE, indent=1) + "\n",
    **{f"{DIRECTORIES[2]}/{name}": _MANAGED + text for name, text in SCRIPTS.items()},
}

# Each page of a job gets what its server has in the environment (meters.END), and what is left.
IN_PAGE = "hpccNotebookEnd"

_WARNED = ((900, 4), (300, 8))  # seconds before the end; of a short walltime, not more than a part
_LAST_SAVE = 3  # seconds before the end
_AUTOSAVE, _HURRY = 20, 5  # seconds: JupyterLab's autosave, and after the last warning


def announced(at: float, walltime: int) -> str:
    """What is said of a moment, in seconds of the epoch, at which cells are interrupted."""
    warnings = [min(most, walltime // part) for most, part in _WARNED]
    saves = {"last_save": _LAST_SAVE, "autosave": _AUTOSAVE, "hurry": _HURRY}
    return json.dumps({"at": at, "warnings": warnings, **saves})

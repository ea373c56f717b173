# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of packages/cluster_helper a node needs to speak to its scheduler, as texts to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.sent_program import PLUGINS

PACKAGE = PLUGINS.parent / "packages" / "cluster_helper"
# Without what needs ipyparallel, which an installation of somebody's own may not have.
_PARTS = (
    *("commands", "early", "errors", "job", "request", "resources", "rules", "schedulers"),
    *("script", "site", "units"),
)


@cache
def cluster_helper_texts() -> Mapping[str, str]:
    """By their full names."""
    paths = (PACKAGE / "cluster_helper").rglob("*.py")
    names = {path: path.relative_to(PACKAGE).with_suffix("").parts for path in paths}
    return {
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts): path.read_text("utf-8")
        for path, parts in names.items()
        if parts[1] in ("__init__", *_PARTS)
    }

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of a login that Ansible keeps open for a while.

Every task of a play asks for it: what it needs is read again in each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_options import resolved


def login_name(variables: Mapping[str, Any], keywords: Mapping[str, Any] | None = None) -> str:
    """What our plays call the login to a host: another for each way there, and for each account."""
    found = resolved(variables, keywords)
    words = "\n".join(f"{name}={value}" for name, value in sorted(found.items()))
    return hashlib.sha256(words.encode()).hexdigest()[:10]

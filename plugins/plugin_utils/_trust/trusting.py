# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the browsers of this computer trust the authority of a server, or take that back."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import SETUP
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    certificate,
    crypto,
    trust,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._trust import browsers, kept_authority

_SIGNED = f"{SETUP} -e nbserver_profile_authority_kept=true"


@dataclass(frozen=True)
class Shown:
    """What a node says about the certificate of its server."""

    chain: str
    prints: Collection[str]  # the server has shown one of these through the tunnel
    names: Iterable[str]  # of the certificate, besides those that each has


@dataclass(frozen=True)
class Done:
    """What to tell the person, and whether anything is otherwise than before."""

    lines: list[str]
    changed: bool


def taken_back() -> Done:
    """No browser here trusts any authority of ours afterwards."""
    found = browsers.found()
    if not sys.platform.startswith("linux") or not found:
        return Done([trust.BY_HAND], changed=False)
    browsers.require_certutil()
    changed = browsers.forget(found)
    return Done([trust.TAKEN_BACK] * changed, changed=changed)


def given(shown: Shown, path: Path) -> Done:
    """All browsers here trust the authority of this server, which is kept in a file."""
    authority = _judged(shown)
    if files.private_file_reason(str(path), authority):
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        files.make_private_directory(str(path.parent))
        files.write_private(str(path), authority)
    found = browsers.found()
    if not sys.platform.startswith("linux") or not found:
        return Done(trust.lines(str(path)), changed=False)
    browsers.require_certutil()
    changed = browsers.believe(found, path, crypto.print_of(authority))
    return Done([trust.NEWLY if changed else trust.ALREADY], changed=changed)


def _judged(shown: Shown) -> bytes:
    """The authority of a certificate: ours, or one that passes for what it should be."""
    pem = shown.chain.encode()
    where = "the certificate of the server"
    if not pem or crypto.print_of(pem) not in shown.prints:
        raise NotebookError("is not the one in the profile", where, "Connect again")
    if not crypto.authority_of(pem):
        raise NotebookError("is self-signed: no authority could be trusted", where, _SIGNED)
    own = next(kept_authority.of(pem), None)
    names = certificate.names_for(shown.names)
    return own or crypto.trusted_authority(pem, names, datetime.now(UTC))

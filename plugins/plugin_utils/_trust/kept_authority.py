# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: authorities on this computer: of hosts, and those whose keys are kept here."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import certificate, crypto
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.certificate import Wanted


@dataclass(frozen=True)
class Kept:
    """Who signs, where its file is, and why it was made now; empty when it was there."""

    issuer: crypto.Issuer
    path: Path
    reason: str = ""


def directory() -> Path:
    """Where this computer keeps them."""
    data = os.environ.get("XDG_DATA_HOME", "")
    base = Path(data) if data.startswith("/") else Path(files.home()) / ".local" / "share"
    return base / "hpcc.notebook"


def place_of_host(host: str, profile: str) -> Path:
    """The certificate of an authority that a host has made; each host and profile has its own."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{host}-{profile}")
    return directory() / f"{name.lstrip('.')}.crt"


def place(names: frozenset[str]) -> Path:
    """The key and certificate of the one for these names: it can vouch for no others."""
    if names == certificate.names_for([]):
        return directory() / "authority.pem"
    digest = hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()
    return directory() / f"authority-{digest[:8]}.pem"


def kept(wanted: Wanted, now: datetime, *, checking: bool = False) -> Kept:
    """The authority that signs; made when there is none that can, which a check run only plays."""
    path = place(wanted.names)
    reason = _why_other(path, wanted, now)
    if not reason:
        return _read(path, wanted, now)
    if checking:
        return Kept(_issuer(crypto.kept_authority(wanted, now), path, wanted, now), path, reason)
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    files.make_private_directory(str(path.parent))
    held = files.lock_file(str(path.with_suffix(".lock")))  # two hosts are set up at the same time
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        reason = _why_other(path, wanted, now)
        if reason:
            files.write_private(str(path), crypto.kept_authority(wanted, now))
        return Kept(_read(path, wanted, now).issuer, path, reason)
    finally:
        os.close(held)


def of(certificate_pem: bytes) -> Iterator[bytes]:
    """The certificates of those kept here that have signed this one."""
    for path in sorted(directory().glob("authority*.pem")):
        authority = crypto.authority_in(files.read(str(path)) or b"")
        if authority and crypto.signed_by(certificate_pem, authority):
            yield authority


def _why_other(path: Path, wanted: Wanted, now: datetime) -> str:
    """Why another one is needed. What others could read, they may have copied."""
    missing_or_open = files.private_mode_reason(str(path))
    if missing_or_open:
        return missing_or_open
    found = crypto.kept_issuer(files.read(str(path)) or b"", wanted, now)
    return found if isinstance(found, str) else ""


def _read(path: Path, wanted: Wanted, now: datetime) -> Kept:
    return Kept(_issuer(files.read(str(path)) or b"", path, wanted, now), path)


def _issuer(pair: bytes, path: Path, wanted: Wanted, now: datetime) -> crypto.Issuer:
    found = crypto.kept_issuer(pair, wanted, now)
    if isinstance(found, str):
        raise NotebookError(found, str(path), "Move it away, and run setup again")
    return found

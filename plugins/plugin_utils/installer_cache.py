# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches an installer to the controller, once for all hosts; verified before it gets its name."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from ansible.module_utils.urls import open_url
from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError

_CHUNK = 1024 * 1024


def fetch(url: str, sha256: str, timeout: int) -> Path:
    """The path of the verified installer in the controller's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hpcc.notebook"
    kept = cache / f"{sha256}.sh"
    if kept.exists() and _sum(kept) == sha256:
        return kept
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=cache, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        _download(url, part, timeout)
        _check(url, sha256, part)
        part.replace(kept)
    finally:
        part.unlink(missing_ok=True)
    return kept


def _download(url: str, part: Path, timeout: int) -> None:
    try:
        with open_url(url, timeout=min(timeout, 60), follow_redirects="safe") as answer:
            if not answer.geturl().startswith("https://"):
                raise NotebookError(what="redirects to plain http", where=url)
            with part.open("wb") as file:
                shutil.copyfileobj(answer, file, _CHUNK)
    except (OSError, ValueError) as error:
        raise NotebookError(
            what=f"cannot be fetched to the controller: {error}",
            where=url,
            todo="Look at the address, the proxy and the certificates, and run again.",
        ) from error


def _check(url: str, sha256: str, part: Path) -> None:
    found = _sum(part)
    if found != sha256:
        with part.open("rb") as file:
            page = " It is a web page, perhaps a login page." if file.read(1) == b"<" else ""
        raise NotebookError(
            what=f"has the wrong checksum: sha256 {found}, expected {sha256}; it was deleted",
            where=url,
            todo=f"Look at the version and the mirror.{page}",
        )


def _sum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

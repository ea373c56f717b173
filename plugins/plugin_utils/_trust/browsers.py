# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the databases in which the browsers of this computer keep whom they trust.

Chromium and its relatives share one, each profile of Firefox has its own. Both are NSS's, and its
certutil writes them. On macOS and Windows other things are to be done, which a person types.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import trust

CERTUTIL = "certutil"
CHROMIUM, FIREFOX = "Chromium, Chrome and Edge", "Firefox"
_PROGRAMS = (
    "chromium chromium-browser google-chrome google-chrome-stable brave-browser microsoft-edge"
)
# Below the home directory; a browser in a snap or flatpak has a home of its own.
_CHROMIUMS = (".pki/nssdb", ".local/share/pki/nssdb", "snap/chromium/current/.pki/nssdb")
_FIREFOXES = (
    ".mozilla/firefox/*/cert9.db",
    ".config/mozilla/firefox/*/cert9.db",
    "snap/firefox/common/.mozilla/firefox/*/cert9.db",
    ".var/app/org.mozilla.firefox/.mozilla/firefox/*/cert9.db",
)
_LISTED = re.compile(r"(.*?) +[A-Za-z]*,[A-Za-z]*,[A-Za-z]* *")
_TIMEOUT = 60


@dataclass(frozen=True)
class Database:
    """Where a browser keeps whom it trusts."""

    browser: str
    path: Path


def found() -> list[Database]:
    """Those of this computer; that of a Chromium that never ran yet is made by certutil."""
    home = Path(files.home())
    there = [home / name for name in _CHROMIUMS if (home / name).is_dir()]
    installed = any(shutil.which(program) for program in _PROGRAMS.split())
    chromiums = there or [home / _CHROMIUMS[0]] * installed
    firefoxes = [path.parent for pattern in _FIREFOXES for path in sorted(home.glob(pattern))]
    return [
        *(Database(CHROMIUM, path) for path in chromiums),
        *(Database(FIREFOX, path) for path in firefoxes),
    ]


def believe(databases: list[Database], certificate: Path, sha256: str) -> bool:
    """Have all of them trust an authority; whether that is new to any."""
    name = f"{trust.NICKNAME}-{sha256.replace(':', '')[:12].lower()}"
    new = [database for database in databases if name not in _names(database)]
    for database in new:
        database.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _certutil(database, "-A", "-t", "C,,", "-n", name, "-i", str(certificate))
    return bool(new)


def forget(databases: list[Database]) -> bool:
    """Have none of them trust an authority of ours; whether any did."""
    known = [(database, name) for database in databases for name in _names(database)]
    for database, name in known:
        _certutil(database, "-D", "-n", name)
    return bool(known)


def require_certutil() -> None:
    """Say what is missing."""
    if not shutil.which(CERTUTIL):
        todo = "Install libnss3-tools (Debian, Ubuntu) or nss-tools (Fedora, RHEL)"
        raise NotebookError("is not installed", CERTUTIL, todo)


def _names(database: Database) -> Iterator[str]:
    """What our authorities are called there."""
    if not (database.path / "cert9.db").exists():
        return
    for line in _certutil(database, "-L").splitlines():
        listed = _LISTED.fullmatch(line)
        if listed and listed[1].startswith(trust.NICKNAME):
            yield listed[1]


def _certutil(database: Database, *words: str) -> str:
    argv = [CERTUTIL, "-d", f"sql:{database.path}", *words]
    where = f"{database.browser} ({database.path})"
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=_TIMEOUT,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"}, errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotebookError(f"certutil did not end well: {error}", where) from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
        raise NotebookError(f"certutil says {said}", where, "Close the browser, and try again")
    return done.stdout

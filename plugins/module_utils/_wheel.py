# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wheel of pure Python: files in, the bytes that pip installs out. Pure, and reproducible."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from typing import Mapping, Sequence

_EPOCH = (1980, 1, 1, 0, 0, 0)
_WHEEL = "Wheel-Version: 1.0\nGenerator: hpcc.notebook\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@dataclass(frozen=True)
class Package:
    """A package of pure Python."""

    name: str
    """As pip calls it."""
    version: str
    files: Mapping[str, str]
    """Path below site-packages to text."""
    requires: Sequence[str] = field(default_factory=tuple)

    @property
    def info(self) -> str:
        """The directory of its metadata."""
        return f"{self.name.replace('-', '_')}-{self.version}.dist-info"

    @property
    def wheel_name(self) -> str:
        """How the file has to be called."""
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"

    def metadata(self) -> str:
        """What pip knows about it."""
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in self.requires)
        return f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n{needs}"

    def installed(self) -> dict[str, str]:
        """Every file whose content decides whether this package is installed."""
        return {**self.files, f"{self.info}/METADATA": self.metadata()}


def build(package: Package) -> bytes:
    """The wheel."""
    contents = {**package.installed(), f"{package.info}/WHEEL": _WHEEL}
    record = f"{package.info}/RECORD"
    lines = [f"{path},{_digest(text)},{len(text.encode())}\n" for path, text in contents.items()]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in {**contents, record: "".join([*lines, f"{record},,\n"])}.items():
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), text)
    return packed.getvalue()


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def reasons(package: Package, found: Mapping[str, str | None]) -> list[str]:
    """Why it has to be installed: one reason for each file, none when all is the same."""
    wanted = package.installed()
    if all(found.get(path) is None for path in wanted):
        return ["not installed"]
    changed = (path for path, text in wanted.items() if found.get(path) != text)
    return [f"{path} is {'different' if found.get(path) else 'missing'}" for path in changed]


def listing(files: Mapping[str, str | None]) -> str:
    """One line for each file: what --diff shows, since the text would be pages."""
    there = {path: text for path, text in sorted(files.items()) if text is not None}
    return "".join(f"{path} {_digest(text)}\n" for path, text in there.items())

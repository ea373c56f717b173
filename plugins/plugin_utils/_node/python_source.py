# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package of pure Python as it lies on the controller."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any


def read_package(source: Path) -> dict[str, Any]:
    """Name, version, needs and files, as the module python_package wants them."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    packages = [entry.parent for entry in sorted(source.glob("*/__init__.py"))]
    files = {
        str(path.relative_to(source)): path.read_text(encoding="utf-8")
        for package in packages
        for path in sorted(package.rglob("*"))
        if path.suffix == ".py" or path.name == "py.typed"
    }
    return {
        "name": project["project"]["name"],
        "version": _version("".join(files.values())),
        "requires": project["project"].get("dependencies", []),
        "files": files,
    }


def _version(text: str) -> str:
    found = re.search(r'^__version__ = "([0-9][0-9.]*)"$', text, re.MULTILINE)
    if not found:
        raise ValueError("it does not state its __version__")
    return found[1]

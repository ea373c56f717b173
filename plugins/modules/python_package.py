#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package of pure Python that comes from the controller, installed without a network."""

from __future__ import annotations

DOCUMENTATION = r"""
module: python_package
short_description: Install a package of pure Python from the controller
version_added: 0.1.0
description:
  - Installs the package into the Python that runs this module, with its pip and without a network.
  - Nothing is done when every file of it is there and the same.
  - What the package needs has to be installed already; the module says so when it is not.
author:
  - The hpcc.notebook maintainers (@hpcc)
options:
  src:
    description:
      - The directory on the controller that holds C(pyproject.toml) and the package; in a role,
        looked for in its C(files).
      - C(pyproject.toml) has to state C(name) and C(dependencies); the version is
        C(__version__) of the package.
    type: str
    required: true
  also:
    description:
      - Further files below the prefix of the Python installation that belong to the package.
      - An installation of role C(anaconda) keeps a list of the files that are its own. These and
        those of the package are added to it, so that no upgrade or removal takes them for
        somebody else's.
    type: list
    elements: str
    default: []
  name:
    description: Set from O(src) on the controller.
    type: str
  version:
    description: Set from O(src) on the controller.
    type: str
  requires:
    description: Set from O(src) on the controller.
    type: list
    elements: str
    default: []
  files:
    description: Set from O(src) on the controller.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Decides everything and changes nothing.
    support: full
  diff_mode:
    description: The same in check mode and in a real run; a checksum for each file.
    support: full
"""

EXAMPLES = r"""
- name: Install the package for parallel work
  hpcc.notebook.python_package:
    src: cluster_helper
  vars:
    ansible_python_interpreter: ~/anaconda/bin/python
"""

RETURN = r"""
reason:
  description: Why it was installed; empty when it was there already.
  returned: success
  type: str
  sample: cluster_helper/engine.py is different
version:
  description: The version that is installed now.
  returned: success
  type: str
  sample: 0.1.0
"""

import os
import sys
import sysconfig
import tempfile
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils import _wheel as wheel
from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource, versions
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import file_list
from ansible_collections.hpcc.notebook.plugins.module_utils._options.python_package import (
    INTERFACE,
)

PIP = ["-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet"]
OFFLINE = ["--no-index", "--no-deps", "--force-reinstall", "--no-input"]
TIMEOUT = 300  # seconds; a slow shared file system takes its time


def decide(params: Mapping[str, Any]) -> resource.Plan:
    """Compare every file with what is installed."""
    package = wheel.Package(params["name"], params["version"], params["files"], params["requires"])
    place = Path(sysconfig.get_path("purelib"))
    found = {path: read(place / path) for path in package.installed()}
    reasons = wheel.reasons(package, found)
    if reasons:
        refuse_missing(package)
    elif file_list.missing(sys.prefix, owned(package, place, params["also"])):
        reasons = ["it is not in the installation's list of files"]
    diff = {"before": wheel.listing(found), "after": wheel.listing(package.installed())}
    header = {"before_header": str(place), "after_header": str(place)}
    return resource.Plan(
        reasons=reasons[:3],
        apply=partial(install, package, place, params["also"]),
        diff=[{**header, **diff}] if reasons else [],
        result={"version": package.version},
    )


def read(path: Path) -> str | None:
    """A file of text, or None when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def refuse_missing(package: wheel.Package) -> None:
    """What it needs is somebody else's to install."""
    for requirement in package.requires:
        found = installed(versions.name_of(requirement))
        if not found or not versions.fulfils(requirement, found):
            raise NotebookError(
                f"{package.name} needs {requirement}, {found or 'which'} is"
                f"{'' if found else ' not'} installed",
                sys.executable,
                f"Put {requirement} among the packages of the installation.",
            )


def installed(name: str) -> str:
    """Its version, or nothing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def owned(package: wheel.Package, place: Path, also: Sequence[str]) -> list[str]:
    """The files of the installed package, as pip has recorded them, below the prefix."""
    record = read(place / package.info / "RECORD") or ""
    below = os.path.relpath(place.resolve(), Path(sys.prefix).resolve())
    names = [line.rpartition(",")[0].rpartition(",")[0] for line in record.splitlines()]
    return [*(f"{below}/{name}" for name in names if not name.endswith(".pyc")), *also]


def install(package: wheel.Package, place: Path, also: Sequence[str]) -> Mapping[str, object]:
    """Let pip do it, so that pip knows about it, and note what is ours now."""
    let_pip_install(package)
    file_list.add(sys.prefix, owned(package, place, also))
    return {}


def let_pip_install(package: wheel.Package) -> None:
    """Without a network."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / package.wheel_name
        path.write_bytes(wheel.build(package))
        done = processes.run([sys.executable, *PIP, *OFFLINE, str(path)], timeout=TIMEOUT)
    if done.code:
        words = done.stderr.strip().splitlines() or ["it said nothing"]
        raise NotebookError(f"pip cannot install {package.name}: {words[-1]}", sys.executable)


def main() -> None:
    """Run the module."""
    resource.run(AnsibleModule(**INTERFACE, supports_check_mode=True), decide)


if __name__ == "__main__":
    main()

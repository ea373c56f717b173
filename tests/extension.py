"""Build JupyterLab's extension from packages/time-left, and put it where the collection carries it.

    tests/extension.py            build, and write what the profile gets
    tests/extension.py --check    build, and only say whether that would change

The result names the digest of the source that it was built from, which a test compares.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
SOURCE = CHECKOUT / "packages" / "time-left"
# What is carried, and how the builder calls it: a digest would be another name each time.
SCRIPTS = {"remoteEntry.js": "remoteEntry.*.js", "time-left.js": "time-left.js"}
CARRIED = CHECKOUT / "plugins" / "module_utils" / "_profile" / "time_left_built.py"
WORKSHOP = CHECKOUT / ".cache" / "time-left"
OTHER = ("node_modules", "lib", "README.md")  # nothing that the result depends on
_CARRIED = '''\
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time left, for JupyterLab and Notebook 7: written by `make extension`. Pure: text."""

# ruff: noqa: E501 - as the builder has made it

from __future__ import annotations

SOURCE_SHA256 = "{digest}"
VERSION = "{version}"
SCRIPTS = {{
{scripts}}}
'''


def sources() -> Iterator[Path]:
    """Every file that the result depends on."""
    for path in sorted(SOURCE.rglob("*")):
        if path.is_file() and path.relative_to(SOURCE).parts[0] not in OTHER:
            yield path


def digest() -> str:
    """Of the source: the names and what is in them."""
    found = hashlib.sha256()
    for path in sources():
        content = path.read_bytes()
        found.update(f"{path.relative_to(SOURCE)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def built() -> str:
    """Build in a directory of its own, from what the lock file names and nothing else."""
    shutil.rmtree(WORKSHOP, ignore_errors=True)
    for path in sources():
        copy = WORKSHOP / path.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    for command in (["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                    ["npm", "run", "build"]):  # fmt: skip
        subprocess.run(command, cwd=WORKSHOP, check=True, stdout=sys.stderr)
    version = json.loads((SOURCE / "package.json").read_text())["version"]
    scripts = "".join(map(_script, SCRIPTS, SCRIPTS.values()))
    return _CARRIED.format(digest=digest(), version=version, scripts=scripts)


def _script(name: str, pattern: str) -> str:
    (found,) = (WORKSHOP / "lib" / "built" / "static").glob(pattern)
    text = found.read_text(encoding="ascii")
    if '"""' in text:
        raise SystemExit(f"{found} has three quotes in a row: Python cannot carry it")
    return f'    "{name}": r"""{text}\n""",\n'


def main() -> None:
    """Build it."""
    wanted = built()
    if CARRIED.exists() and CARRIED.read_text() == wanted:
        print(f"{CARRIED.relative_to(CHECKOUT)} is what its source gives")
    elif sys.argv[1:] == ["--check"]:
        raise SystemExit(f"{CARRIED.relative_to(CHECKOUT)} is stale: make extension")
    else:
        CARRIED.write_text(wanted)
        print(f"{CARRIED.relative_to(CHECKOUT)} was written")


if __name__ == "__main__":
    main()

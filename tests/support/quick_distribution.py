"""A distribution that is installed in a moment, for campaigns of thousands of runs.

The installer keeps the contract of conda's, and leaves a real Python with a stand-in for pip. What
downloads, decides, installs, changes, marks and removes is the product, as it is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

INSTALLER = """\
#!/bin/sh
while getopts bp: option; do case $option in p) prefix=$OPTARG ;; esac done
[ ! -e "$prefix" ] || { echo "File or directory already exists: $prefix" >&2; exit 1; }
mkdir -p "$prefix/bin" "$prefix/etc/profile.d"
cp -r "@PARTS@/." "$prefix" && ln -s "@PYTHON@" "$prefix/bin/python"
@END@
"""
VERSION = "{}.{}".format(*sys.version_info[:2])
SITE = f"lib/python{VERSION}/site-packages"
BASE = ("bin/conda", "pyvenv.cfg", f"lib/python{VERSION}/base.py")


class QuickDistribution:
    """Its parts and its index of wheels, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.index, self._parts = directory / "index", directory / "parts"
        self.steps, self.last = directory / "steps", directory / "last"
        self.index.mkdir(parents=True)
        python = Path(sys._base_executable)  # type: ignore[attr-defined]
        files = {
            "pyvenv.cfg": f"home = {python.parent}\n",
            "pip.conf": "[global]\ncert = /none\n",
            "bin/conda": "#!/bin/sh\nexit 0\n",
            f"lib/python{VERSION}/base.py": "",
            f"conda-meta/python-{VERSION}-0.json": json.dumps({"files": BASE}),
            f"{SITE}/pip/__init__.py": "",
            f"{SITE}/pip/__main__.py": self._pip(),
            f"{SITE}/pip-1.0.dist-info/METADATA": "Name: pip\nVersion: 1.0\n",
            f"{SITE}/pip-1.0.dist-info/RECORD": "pip/__init__.py,,\npip/__main__.py,,\n",
        }
        for name, text in files.items():
            (self._parts / name).parent.mkdir(parents=True, exist_ok=True)
            (self._parts / name).write_text(text, encoding="utf-8")
        (self._parts / "bin/conda").chmod(0o755)

    def _pip(self) -> str:
        text = (Path(__file__).parent / "programs" / "quick_pip.py").read_text(encoding="utf-8")
        for name, path in (("INDEX", self.index), ("STEPS", self.steps), ("LAST", self.last)):
            text = text.replace(f"@{name}@", str(path))
        return text

    def installer(self, end: str) -> bytes:
        """The program; `end` are its last lines."""
        text = INSTALLER.replace("@PARTS@", str(self._parts)).replace("@END@", end)
        return text.replace("@PYTHON@", sys._base_executable).encode()  # type: ignore[attr-defined]

    def wheel(self, name: str, version: str, code: str = "", *requires: str) -> None:
        """A package of one module."""
        wheel = {"name": name, "version": version, "requires": requires}
        text = json.dumps({**wheel, "files": {f"{name}.py": code}})
        (self.index / f"{name}-{version}.json").write_text(text, encoding="utf-8")

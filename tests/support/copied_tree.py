"""A copy of the product in which a test may add something, and counts the files that it writes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PARTS = ("docs", "meta", "packages", "playbooks", "plugins", "roles", "README.md", "galaxy.yml")
GENERATOR = ("document.py", "picture.py", "tables.py")
_RUBBISH = shutil.ignore_patterns("__pycache__", ".mypy_cache", ".cache")


class CopiedTree:
    """The copy, and which of its files were written by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.by_hand: set[str] = set()
        (root / "tests").mkdir(parents=True)
        for part in (*PARTS, *(f"tests/{name}" for name in GENERATOR)):
            source = CHECKOUT / part
            if source.is_dir():
                shutil.copytree(source, root / part, symlinks=True, ignore=_RUBBISH)
            else:
                shutil.copy(source, root / part)

    def write(self, path: str, text: str) -> None:
        """A file by hand."""
        self.by_hand.add(path)
        (self.root / path).write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """One place of a file by hand."""
        text = self.read(path)
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        self.write(path, text.replace(old, new))

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def make_docs(self) -> None:
        """What `make docs` runs."""
        self.python(str(self.root / "tests" / "document.py"))
        self.python(str(self.root / "tests" / "document.py"), "--check")

    def python(self, *words: str) -> str:
        """What a Python says that knows this copy and not the checkout."""
        places = [self.collections, self.root / "packages" / "cluster_helper"]
        done = subprocess.run(
            [sys.executable, *words],
            env={"PYTHONPATH": ":".join(map(str, places)), "PATH": "/usr/bin:/bin",
                 "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(self.root)},
            cwd=self.root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def collections(self) -> Path:
        """What ANSIBLE_COLLECTIONS_PATH has to be."""
        return self.root / "playbooks" / "collections"

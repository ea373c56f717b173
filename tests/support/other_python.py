"""A real Python of another minor version, with Jupyter, that every account may run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "other-python"
# What a server and the modules that start it need; of the same versions as here.
PACKAGES = ("jupyterlab", "ipykernel", "cryptography", "ansible-core")
OLDEST = 11  # what these packages ask for
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "test", "idlelib", "*.a", "share", "include")


def found() -> Path | None:
    """The newest that lies beside ours, in a directory of its own."""
    ours = sys.version_info.minor
    beside = Path(sys.base_prefix).parent.glob("*/bin/python3.*")
    minors = {path: path.name[len("python3.") :] for path in beside}
    fits = {path: int(minor) for path, minor in minors.items() if minor.isdigit()}
    fits = {path: minor for path, minor in fits.items() if minor >= OLDEST and minor != ours}
    return max(fits, key=lambda path: fits[path], default=None)


def make(generation: Path, python: Path) -> None:
    """Make a generation of it: a copy, as an installer would leave it."""
    shutil.copytree(python.parents[1], generation, symlinks=True, ignore=_LEFT_OUT)
    _look_for_libraries_beside_it(generation / "bin" / python.name, python.parents[1])
    (generation / "bin/python").unlink(missing_ok=True)
    (generation / "bin/python").symlink_to(python.name)
    packages = _packages(python)
    (site,) = generation.glob("lib/python3*/site-packages")
    (site / "packages.pth").write_text(f"{packages}\n")
    for name in ("share", "etc"):
        if (packages / name).is_dir() and not (generation / name).exists():
            (generation / name).symlink_to(packages / name)


def _look_for_libraries_beside_it(program: Path, prefix: Path) -> None:
    """It has the place of its library built in, where another account may not look."""
    built_in = f"{prefix}/lib".encode() + b"\0"
    beside = b"$ORIGIN/../lib".ljust(len(built_in), b"\0")
    program.write_bytes(program.read_bytes().replace(built_in, beside))


def _packages(python: Path) -> Path:
    wanted = [f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES]
    name = hashlib.sha256(" ".join([python.name, *wanted]).encode()).hexdigest()[:12]
    place, begun = CACHE / name, CACHE / f"{name}.begun"
    if not place.is_dir():
        shutil.rmtree(begun, ignore_errors=True)
        options = ("-q", "--no-compile", "--disable-pip-version-check", "--target", str(begun))
        subprocess.run([python, "-m", "pip", "install", *options, *wanted], check=True)
        begun.rename(place)
    return place

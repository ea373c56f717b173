"""How this package starts Python: isolated from the directory in which the person works.

`python -m` would put the working directory first on `sys.path`, and an empty entry of PYTHONPATH
means the same: in a directory that others write to, their `cluster_helper.py` would run instead of
ours. So every process of ours is `python -I start.py …`, with this package at its own path. Only
engines import what the person has beside the notebook, and only once they are up.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import ipyparallel

_HERE = Path(__file__).absolute().parent


def isolated(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this package."""
    others = Path(ipyparallel.__path__[0]).absolute().parent
    return [sys.executable, "-I", str(_HERE / "start.py"), str(others), module, *arguments]


def import_path(path: Sequence[object], directory: Path) -> list[str]:
    """`sys.path` of this process as another can use it: from the same places, in the same order.

    An empty entry stands for the working directory, as in a notebook. Pure.
    """
    entries = [str(directory / entry) for entry in path if isinstance(entry, str)]
    return list(dict.fromkeys(entries))

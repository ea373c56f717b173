"""How this package starts Python: isolated from the directory in which the person works.

`python -m` would put the working directory first on `sys.path`, and an empty entry of PYTHONPATH
means the same: in a directory that others write to, their `cluster_helper.py` would run instead of
ours. So every process of ours is `python -I start.py …`, with this package at its own path. Only
engines import what the person has beside the notebook, and only once they are up.

Where the installation is reached through a link that an upgrade turns (`~/anaconda`), all of it is
named by what the link leads to now: jobs that wait or run must not change their Python meanwhile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import ipyparallel

_HERE = Path(__file__).absolute().parent


def isolated(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this package."""
    others = Path(ipyparallel.__path__[0]).absolute().parent
    places = [pinned(str(place)) for place in (_HERE / "start.py", others)]
    return [pinned(sys.executable), "-I", *places, module, *arguments]


def pinned(path: str) -> str:
    """The same place, by a name of this installation that an upgrade does not turn."""
    named = sys.prefix.rstrip("/")
    inside = path == named or path.startswith(f"{named}/")
    return f"{_generation(named)}{path[len(named) :]}" if inside else path


def _generation(prefix: str) -> str:
    """Where the prefix leads to; other links on the way there are the site's own."""
    found = Path(prefix)
    for _step in range(40):  # as many as the kernel follows
        if not found.is_symlink():
            break
        found = Path(os.path.normpath(found.parent / found.readlink()))
    return str(found)


def import_path(path: Sequence[object], directory: Path) -> list[str]:
    """`sys.path` of this process as another can use it: from the same places, in the same order.

    An empty entry stands for the working directory, as in a notebook.
    """
    entries = [pinned(str(directory / entry)) for entry in path if isinstance(entry, str)]
    return list(dict.fromkeys(entries))

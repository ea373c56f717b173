# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of packages are missing or emptied, by the packages' own records. Reads only.

Runs on the node, alone: python -I -S -c PROGRAM prefix known name…, for these packages and what
they need. `known` names a file with paths that were never there; without one, each path is printed.
Scratch file systems delete what nobody has read for long, and leave the records that name it. A
crash leaves empty files. A shorter text may be a person's own change; a shorter library is cut off.
Directories are listed instead of looking for each file, which is quicker on a network file system.
Paths are strings: loading pathlib would take longer than half of the work.
"""

from __future__ import annotations

import sys

try:
    import csv
    import json
    import os
    import re
except ImportError as error:  # nothing else is known of such a Python
    print(f"damaged=name=python version= conda=python files=some path={error.name}")
    sys.exit()

TYPE_CHECKING = False  # loading `typing` takes longer than the listing of ten packages
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Sizes = dict[str, int]  # path → what it has to hold, as far as that is known

END = ".dist-info"
BASE = ("python", "pip")  # without these nothing can be repaired


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""


def names_in(directory: str) -> set[str]:
    try:
        return set(os.listdir(directory))  # noqa: PTH208
    except OSError:
        return set()


def entries_in(directory: str) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return {entry.name: entry for entry in entries}
    except OSError:
        return {}


def base_name(path: str) -> str:
    return path.rpartition("/")[2]


def distributions(prefix: str) -> dict[str, list[str]]:
    """Comparable name → the directories with the metadata of packages of that name."""
    found: dict[str, list[str]] = {}
    for python in sorted(names_in(f"{prefix}/lib")):
        site = f"{prefix}/lib/{python}/site-packages"
        for name in names_in(site) if re.match(r"python3\.\d+$", python) else ():
            if name.endswith(END) and not name.startswith("~"):
                found.setdefault(canonical(name.partition("-")[0]), []).append(f"{site}/{name}")
    return found


def condas(prefix: str) -> dict[str, str]:
    """Comparable name → conda's record."""
    found = (name for name in names_in(f"{prefix}/conda-meta") if name.endswith(".json"))
    return {canonical(name.rsplit("-", 2)[0]): f"{prefix}/conda-meta/{name}" for name in found}


def needs(metadata: str) -> Iterator[str]:
    """What the package needs, whatever the markers say: what is not there is passed over."""
    head = text(f"{metadata}/METADATA").partition("\n\n")[0]
    for requirement in re.findall(r"^Requires-Dist: *(.+)$", head, re.MULTILINE):
        if "extra ==" not in requirement:
            yield canonical(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])


def closure(names: Iterable[str], dists: dict[str, list[str]]) -> list[str]:
    """These packages and all that they need, as far as they are there."""
    waiting, found = [canonical(name) for name in names], []
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += [need for each in dists.get(name, ()) for need in needs(each)]
    return found


def recorded(metadata: str) -> Sizes:
    """The paths that pip noted, which it does last."""
    site = metadata.rpartition("/")[0]
    rows = [row for row in csv.reader(text(f"{metadata}/RECORD").splitlines()) if row]
    found = {f"{site}/{row[0]}": int(row[2]) if row[2:] and row[2].isdigit() else 0 for row in rows}
    return found or {f"{metadata}/RECORD": 1}


def linked(prefix: str, record: str) -> Sizes:
    """The paths that conda noted; the files that it writes its prefix into change their size."""
    try:
        noted = json.loads(text(record))
        found = {f"{prefix}/{path}": 0 for path in noted["files"]}
        for each in noted.get("paths_data", {}).get("paths", ()):
            size = each.get("size_in_bytes") or 0
            found[f"{prefix}/{each['_path']}"] = (
                min(size, 1) if "prefix_placeholder" in each else size
            )
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return found


def owned(prefix: str, metadata: str, record: str) -> Sizes:
    """The paths of a package, by the record of whoever installed it last."""
    if text(f"{metadata}/INSTALLER").strip() == "conda":
        return linked(prefix, record) if record else {}
    return recorded(metadata)


def missing(paths: Sizes, known: set[str]) -> Iterator[str]:
    """Those that are not there, or of which nothing is left; compiled files come and go."""
    listed: dict[str, dict[str, os.DirEntry[str]]] = {}
    for path, size in paths.items():
        directory, _slash, name = path.rpartition("/")
        if name.endswith(".pyc"):
            continue
        if directory not in listed:
            listed[directory] = entries_in(directory)
        entry = listed[directory].get(name)
        gone = entry is None or (size > 0 and is_cut_off(entry, size))
        if gone and os.path.normpath(path) not in known:
            yield os.path.normpath(path)


def is_cut_off(entry: os.DirEntry[str], size: int) -> bool:
    """Whether it is empty, or a library that is shorter than it was."""
    try:
        left = entry.stat().st_size
    except OSError:  # a dangling link is what it was made for
        return False
    return left == 0 or (left < size and entry.name.endswith(".so"))


def look(
    prefix: str, known: set[str], names: Iterable[str]
) -> Iterator[tuple[str, str, str, list[str]]]:
    """Name, version, conda's name and missing paths of each package that matters."""
    dists, records = distributions(prefix), condas(prefix)
    if "python" in records:
        python = linked(prefix, records["python"])
        yield "python", "", "python", list(missing(python, known))
    for name in closure([*names, "pip"], dists):
        record = records.get(name, "")
        conda = base_name(record).rsplit("-", 2)[0] or "-"
        for metadata in dists.get(name, ()):
            version = base_name(metadata)[: -len(END)].partition("-")[2]
            yield name, version, conda, list(missing(owned(prefix, metadata, record), known))


def main() -> None:
    prefix, file, names = os.path.realpath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    known = set(text(file).splitlines()) if file else set()
    for name, version, conda, paths in look(prefix, known, names):
        if not file:
            print("".join(f"{path}\n" for path in paths), end="")
        elif paths:
            kind = "damaged" if name in BASE else "lost"
            path = "?".join(os.path.relpath(paths[0], prefix).split())
            what = f"name={name} version={version} conda={conda}"
            print(f"{kind}={what} files={len(paths)} path={path}")


if __name__ == "__main__":
    main()

"""The main job on the computers, accounts and clusters that people have: a table of cells.

matrix.py                     every cell
matrix.py 2.21 trixie tcsh    the cells that match each of these words
matrix.py --broken WORDS      the doctor in front of each breakage, in the cells that match
matrix.py --one               one cell beside what the other tests show: the newest Ansible, tcsh

A cell is a controller (Debian's Python, a version of ansible-core, the collection installed from
its archive into an empty home), a release of Debian on the nodes, and a login shell. In each, a
person sets up, starts, types the printed command, connects, asks the doctor, computes in parallel,
stops and tears down. A warning of Ansible fails the cell.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import broken
from cells import CONTROLLERS, SHELLS, Cell, Clusters, Failed

sys.path.insert(0, str(Path(__file__).parents[1] / "cluster"))
from topology import RELEASES

Trial = Callable[[Cell, Clusters], Iterator[tuple[str, str]]]
ONE = Cell(CONTROLLERS[-1], "bookworm", "tcsh")


def every_cell() -> list[Cell]:
    """The nodes' release changes last: a cluster is brought up once for all of its cells."""
    products = itertools.product(RELEASES, CONTROLLERS, SHELLS)
    return [Cell(controller, release, shell) for release, controller, shell in products]


def wanted(words: list[str]) -> list[Cell]:
    return [cell for cell in every_cell() if all(word in str(cell).split() for word in words)]


def main_job(cell: Cell, clusters: Clusters) -> Iterator[tuple[str, str]]:
    """A row of the table, and what to read when it failed."""
    began = time.monotonic()
    clusters.prepare(cell)
    steps = clusters.computer(cell).main_job()
    took = " ".join(f"{name} {seconds:.1f}" for name, seconds in steps.items())
    yield f"{cell}  ok  {took}  ({time.monotonic() - began:.0f} s)", ""


def rows(cells: list[Cell], clusters: Clusters, trial: Trial) -> Iterator[tuple[str, str]]:
    """All that the trials of these cells find; one that cannot go on is a row, too."""
    for cell in cells:
        try:
            yield from trial(cell, clusters)
        except Failed as failed:
            yield f"{cell}  FAILED at {failed.step}", failed.said


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", help="of the cells that are tried")
    parser.add_argument("--broken", action="store_true", help="break the nodes, ask the doctor")
    parser.add_argument("--one", action="store_true", help="one cell, on the cluster that is up")
    parser.add_argument("--keep", action="store_true", help="leave the cluster up")
    options = parser.parse_args()
    cells = [ONE] if options.one else wanted(options.words)
    if not cells:
        parser.error(f"no cell has all of these: {' '.join(options.words)}")
    trial = broken.each if options.broken else main_job
    failed: list[bool] = []
    with Clusters(keep=options.one or options.keep, environment=dict(os.environ)) as clusters:
        for row, said in rows(cells, clusters, trial):
            failed.append(bool(said))
            print(row, *([said] if said else []), sep="\n", flush=True)
    print(f"{failed.count(False)} passed, {failed.count(True)} failed")
    return 1 if any(failed) else 0


if __name__ == "__main__":
    sys.exit(main())

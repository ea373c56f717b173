"""The main job on the computers, accounts and clusters that people have: a table of cells.

matrix.py                     every cell
matrix.py 2.21 trixie tcsh    the cells that match each of these words
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
from pathlib import Path

from cells import CONTROLLERS, SHELLS, Cell, Clusters, Failed

sys.path.insert(0, str(Path(__file__).parents[1] / "cluster"))
from topology import RELEASES

ONE = Cell(CONTROLLERS[-1], "bookworm", "tcsh")


def every_cell() -> list[Cell]:
    """The nodes' release changes last: a cluster is brought up once for all of its cells."""
    products = itertools.product(RELEASES, CONTROLLERS, SHELLS)
    return [Cell(controller, release, shell) for release, controller, shell in products]


def wanted(words: list[str]) -> list[Cell]:
    return [cell for cell in every_cell() if all(word in str(cell).split() for word in words)]


def tried(cell: Cell, clusters: Clusters) -> tuple[str, str]:
    """A row of the table, and what to read when it failed."""
    began = time.monotonic()
    try:
        clusters.prepare(cell)
        steps = clusters.computer(cell).main_job()
    except Failed as failed:
        return f"{cell}  FAILED at {failed.step}", failed.said
    took = " ".join(f"{name} {seconds:.1f}" for name, seconds in steps.items())
    return f"{cell}  ok  {took}  ({time.monotonic() - began:.0f} s)", ""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", help="of the cells that are tried")
    parser.add_argument("--one", action="store_true", help="one cell, on the cluster that is up")
    parser.add_argument("--keep", action="store_true", help="leave the cluster up")
    options = parser.parse_args()
    cells = [ONE] if options.one else wanted(options.words)
    if not cells:
        parser.error(f"no cell has all of these: {' '.join(options.words)}")
    failures = 0
    with Clusters(keep=options.one or options.keep, environment=dict(os.environ)) as clusters:
        for cell in cells:
            row, said = tried(cell, clusters)
            failures += bool(said)
            print(row, *([said] if said else []), sep="\n", flush=True)
    print(f"{len(cells) - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

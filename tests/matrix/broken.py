"""The doctor in front of each breakage: it names the cause, and blames nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from breakages import BREAKAGES, COMPUTER, GATEWAY, LOGIN_FILES, Breakage
from cells import Cell, Clusters
from computer import Computer
from mounts import undone

HEALTHY = ", 0 wrong."


def each(cell: Cell, clusters: Clusters) -> Iterator[tuple[str, str]]:
    """A row for each breakage, and what to read when the doctor did not find it."""
    clusters.prepare(cell)
    computer = clusters.computer(cell)
    computer.served()
    for breakage in BREAKAGES:
        with _made(breakage, cell, clusters, computer):
            said = computer.doctor(breakage.options)
        wanted = breakage.said.format(**_names(cell, pattern=True))
        found = _verdict(breakage, wanted, said)
        yield f"{cell.release} {cell.shell} | {breakage.name}  {found or 'ok'}", found and said
    said = computer.doctor()
    found = "" if HEALTHY in said else "FAILED: it did not become healthy again"
    yield f"{cell.release} {cell.shell} | all mended  {found or 'ok'}", found and said


def _verdict(breakage: Breakage, wanted: str, said: str) -> str:
    """Why the doctor did not do; empty when it did."""
    if "Traceback" in said or not re.search(rf"(?m)^{wanted}|{wanted}$", said):
        return "FAILED: the cause is not named"
    cause = re.match(r"wrong \+([^:]+):", breakage.said)
    allowed = re.compile("|".join(filter(None, (cause and cause[1], breakage.also))) or "$.")
    blamed = re.findall(r"(?m)^wrong +([^:]+):", said)
    others = [subject for subject in blamed if not allowed.fullmatch(subject)]
    return f"FAILED: it blames {', '.join(others)}, too" if others else ""


@contextmanager
def _made(breakage: Breakage, cell: Cell, clusters: Clusters, computer: Computer) -> Iterator[None]:
    """Break it, and mend it again."""
    names = _names(cell)
    host = "gateway" if breakage.where == GATEWAY else cell.node
    calls = [call.format(**names) for call in breakage.mounts]
    known = f"ACCOUNT={cell.account} HOME=/home/{cell.account}; RC=$HOME/{names['rc']}\n"
    known += f"LOGIN_SHELL=$(command -v {cell.shell})\n"

    def run(program: str) -> None:
        if breakage.where == COMPUTER:
            computer.run(program)
        else:
            clusters.root(host, known + program)

    try:
        if calls:
            clusters.mount(host, calls)
        run(breakage.broken)
        yield
    finally:
        run(breakage.mended)
        if calls:
            clusters.mount(host, undone(calls))


def _names(cell: Cell, *, pattern: bool = False) -> dict[str, str]:
    """What the places of the cell are called, as text or as part of a pattern."""
    names = {
        "home": f"/home/{cell.account}", "node": cell.node, "rc": LOGIN_FILES[cell.shell],
    }  # fmt: skip
    return {key: re.escape(value) if pattern else value for key, value in names.items()}

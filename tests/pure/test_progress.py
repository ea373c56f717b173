"""How far an installation is, in words."""

from __future__ import annotations

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.progress import (
    Progress,
    drawn,
    line,
    progress,
)
from hypothesis import given
from hypothesis import strategies as st

MIB = 1024 * 1024
LINES = {
    "downloading the installer, 25 % (25 of 100 MiB), 2.5 MiB/s, 10 s, about 30 s left": (
        Progress("download", 10, 25 * MIB, 100 * MIB)
    ),
    "downloading the installer, 60 % (60 of 100 MiB), 1.0 MiB/s, 10 s, about 40 s left": (
        Progress("download", 10, 60 * MIB, 100 * MIB, 50 * MIB)
    ),
    "downloading the installer, 3 MiB, 1 s": Progress("download", 1, 3 * MIB),
    "running the installer, 2 min 5 s: Unpacking": Progress("install", 125, detail="Unpacking"),
}


@pytest.mark.parametrize("text", LINES)
def test_a_line_says_what_how_far_and_how_long(text: str) -> None:
    assert line(LINES[text]) == text


def test_a_bar_shows_what_is_done() -> None:
    text = drawn(Progress("download", 10, 25 * MIB, 100 * MIB), 120)
    assert text.startswith("[######..................] downloading")


def test_a_bar_says_what_happens_where_nothing_can_be_counted() -> None:
    assert "5 s: ?[31mUnpacking" in drawn(Progress("install", 5, detail="\x1b[31mUnpacking"), 80)


numbers = st.integers(0, 10**13)


@given(st.text(), numbers, numbers, numbers, numbers, st.text(), st.integers(20, 300))
def test_a_bar_fits_its_line_whatever_happens(
    phase: str, seconds: int, done: int, total: int, begun: int, detail: str, columns: int
) -> None:
    text = drawn(Progress(phase, seconds, done, total, begun, detail), columns)
    assert len(text) == columns - 1
    assert text.isprintable() or not phase.isprintable()


def test_a_poll_is_read() -> None:
    found = {"phase": ["download"], "now": ["20"], "since": ["15"], "bytes": ["7"], "total": ["?"]}
    assert progress(found) == Progress("download", 5, 7, 0)
    assert progress({}) is None

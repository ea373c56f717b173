"""A short run of the racing reader of `make hijack`."""

from __future__ import annotations

import os

import pytest
import race

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can play a second user")


@pytest.mark.threat(5, 6)
@pytest.mark.parametrize(("writer", "caught"), [(race.CARELESS, True), (race.WRITER, False)])
def test_a_racing_reader_gets_what_is_open_for_a_moment_and_nothing_of_ours(
    writer: str, caught: bool
) -> None:
    with race.account() as whose:
        assert bool(race.stolen(whose, writer, 200 if caught else 12)) is caught

"""The short form of `make flips`."""

from __future__ import annotations

from pathlib import Path

import pytest
from damaged_installers import campaign


@pytest.mark.fault("T12 flipped bytes")
@pytest.mark.threat(12)
def test_damaged_installers_are_refused_and_only_the_good_one_is_executed(tmp_path: Path) -> None:
    good_executed, damaged = campaign(tmp_path, 15)
    assert good_executed
    assert (damaged.refused, damaged.executed) == (30, 0)

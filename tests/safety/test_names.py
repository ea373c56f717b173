"""No shared name of the product can be forgotten: the attacks' list is held against the sources."""

from __future__ import annotations

import sys
from pathlib import Path

from attacks import kinds, names

sys.path.append(str(Path(__file__).parents[1]))
import shared_names


def test_every_shared_name_that_the_sources_hold_is_attacked_or_says_why_not() -> None:
    attacked = {name.called for name in names.NAMES} | {names.SEEN}
    for place in shared_names.ALLOWED:
        stands_for = names.STANDS_FOR.get(place)
        assert stands_for, f"{place}: say in attacks/names.py what it is, and attack it"
        assert stands_for in attacked | {names.RANDOM, names.UNUSED, names.KERNELS}


def test_no_row_of_the_list_has_outlived_its_source() -> None:
    assert names.STANDS_FOR.keys() - shared_names.ALLOWED.keys() == set()


def test_every_kind_has_a_careless_version_and_says_what_that_shows() -> None:
    assert all(kind.careless and kind.shows for kind in kinds.KINDS)
    assert len({kind.called for kind in kinds.KINDS}) == len(kinds.KINDS)
    assert set(kinds.SHORT) < {kind.called for kind in kinds.KINDS}

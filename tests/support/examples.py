"""How many examples a property gets: a few in each run, many times as many by `make chaos`."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("HPCC_NOTEBOOK_TIMES", "1"))


def examples(usual: int) -> int:
    return usual * TIMES

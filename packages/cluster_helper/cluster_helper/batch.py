"""Several calls that go to an engine in one message. This part runs there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ipyparallel.error import wrap_exception

_PATIENCE = 0.1  # seconds after which what has not begun is given back


def work_off(function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
    """The results of as many calls as there was time for, and before them the error that ended it.

    The first call is always made. Nothing is tried twice here: that is decided at the other end.
    """
    results: list[Any] = []
    end = time.monotonic() + _PATIENCE
    for values in zip(*arguments, strict=True):
        if results and time.monotonic() > end:
            break
        try:
            results.append(function(*values))
        except Exception:
            return [wrap_exception(_this_engine()), *results]
    return [None, *results]


def _this_engine() -> dict[str, Any]:
    from IPython import get_ipython

    known: dict[str, Any] = get_ipython().kernel.get_engine_info(method="apply")
    return known

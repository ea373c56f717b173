"""A test in this folder starts nothing: the interpreter reports each process and connection."""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest
from starts_nothing import Watch

WATCH = Watch()
sys.addaudithook(WATCH.hear)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    with WATCH.this_thread():
        return (yield)

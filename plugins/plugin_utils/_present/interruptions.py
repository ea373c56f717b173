# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C, and an end that this process is told of, while something is held open."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Before = Mapping[int, Any]
"""What was to happen otherwise, by signal."""


@contextmanager
def handled(handler: Callable[[int, Before], object]) -> Iterator[None]:
    """Have it called with the signal, instead of Ansible's own, which ends the process at once."""
    numbers: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
    before: Before = {number: signal.getsignal(number) for number in numbers}
    for number in before:
        signal.signal(number, lambda arrived, _frame: handler(arrived, before))
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)

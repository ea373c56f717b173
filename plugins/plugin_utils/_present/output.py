# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: what Ansible prints comes at once, and ends no run when nobody takes it any more.

A pager is quit, a terminal is closed, a disk is full. Ansible takes the error for the end of its
queue of results, stops reading them, and waits for them without end. So what cannot be written is
dropped, and the play goes on: half a setup would be worse than one that nobody watches.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

_ANSWERS = {1: (0,)}  # where a question is shown, and where its answer comes from
_NOBODY_READS = {errno.EPIPE, errno.EIO}
_DROPPED = "what is printed cannot be written any more ({}). The run goes on without it."


def outlive_readers() -> None:
    """In Ansible's main process, before the first task; not where others have replaced a stream."""
    for stream, original in ((sys.stdout, sys.__stdout__), (sys.stderr, sys.__stderr__)):
        if isinstance(stream, TextIOWrapper) and stream is original:
            _outlive(stream)
            stream.reconfigure(line_buffering=True)  # `open | tee log` shows its address


def past_ansible(number: int, text: str) -> None:
    """Write to a file that this process has open, whatever becomes of it."""
    with suppress(OSError):
        os.write(number, text.encode())


def _outlive(stream: TextIOWrapper) -> None:
    """Change the methods of the buffer, as Ansible does: the stream itself is kept by others."""
    for name in ("write", "flush"):
        work = getattr(stream.buffer, name)
        if not hasattr(work, "outlives"):
            setattr(stream.buffer, name, _tried_twice(work, stream.fileno()))


def _tried_twice(work: Callable[..., Any], number: int) -> Callable[..., Any]:
    def tried(*arguments: Any) -> Any:
        try:
            return work(*arguments)
        except OSError as problem:
            _drop(number, problem)
        return work(*arguments)

    vars(tried)["outlives"] = True
    return tried


def _drop(number: int, problem: OSError) -> None:
    """From now on, nobody reads what goes to this file, nor answers what is asked there."""
    nobody = os.open(os.devnull, os.O_RDWR)
    for each in (number, *_ANSWERS.get(number, ())):
        os.dup2(nobody, each)
    os.close(nobody)
    if problem.errno not in _NOBODY_READS:
        past_ansible(2, f"{_DROPPED.format(problem.strerror)}\n")

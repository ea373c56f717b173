# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ssh that runs while something is done here: what it has printed so far, and its end."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import behind

_SIGNAL_AGAIN_AFTER = 0.5  # seconds
_KILL_AFTER = 5.0


@contextmanager
def running(
    argv: Sequence[str], environment: Mapping[str, str], program: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Give the program to the shell behind an ssh; in the end, it sees the end of its input."""
    with subprocess.Popen(
        argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            _give(process, program)
            yield process
        finally:
            process.kill()


def _give(process: subprocess.Popen[bytes], program: str) -> None:
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.write(program.encode())
            process.stdin.flush()


def printed_behind(mark: str, process: subprocess.Popen[bytes], within: float) -> str:
    """What stands behind the mark in the output; empty when it does not come in time."""
    deadline, said = time.monotonic() + within, b""
    with selectors.DefaultSelector() as selector:
        if process.stdout:
            selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if process.stdout and selector.select(timeout=0.2):
                read = os.read(process.stdout.fileno(), 4096)
                said += read
                whole = said.rpartition(b"\n")[0].decode(errors="replace")
                found = behind(mark, whole)
                if found or not read:
                    return found[0] if found else ""
    return ""


def end(client: subprocess.Popen[Any]) -> None:
    """End an ssh by SIGTERM, and by SIGKILL one that does not react within seconds.

    The ssh of OpenSSH 9.2 misses a signal that arrives just before it waits for its connection,
    in one of a hundred ends or so; the second signal finds it waiting.
    """
    for patience in (_SIGNAL_AGAIN_AFTER, _KILL_AFTER):
        client.terminate()
        with suppress(subprocess.TimeoutExpired):
            client.wait(patience)
            return
    client.kill()
    client.wait()

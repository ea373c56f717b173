"""What a command prints before it ends, when it may not end for hours."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

_ENDS_WITHIN = 2.0  # seconds after the last word that is waited for


def printed_early(
    command: Sequence[str],
    environment: Mapping[str, str],
    is_enough: Callable[[str], bool],
    patience: float,
    inherited: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Let it run until what it has printed is enough, and kill it when it does not end then.

    It prints to a terminal, because into a pipe it would write at its end only.
    """
    ours, its = pty.openpty()
    with os.fdopen(ours, "rb", 0), tempfile.TemporaryFile("w+", errors="replace") as errors:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=its, stderr=errors, env=environment,
                pass_fds=inherited,
            )  # fmt: skip
        finally:
            os.close(its)
        try:
            printed = _until(ours, is_enough, patience)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN)
        finally:
            waits = process.poll() is None
            process.kill()
            process.wait()
        errors.seek(0)
        code = 0 if waits and is_enough(printed) else process.returncode
        return subprocess.CompletedProcess(command, code, printed, errors.read())


def _until(terminal: int, is_enough: Callable[[str], bool], patience: float) -> str:
    """The whole lines that come; all of them when they are never enough."""
    read, deadline = b"", time.monotonic() + patience
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            more = os.read(terminal, 65536)
        except OSError:  # so ends a terminal that nobody holds any more
            break
        read += more
        lines = _text(read[: read.rfind(b"\n") + 1])
        if not more or is_enough(lines):
            return lines
    return _text(read)


def _text(printed: bytes) -> str:
    return printed.decode("utf-8", "replace").replace("\r\n", "\n")

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: start the kernel of a profile as its server would, and let it compute 1 + 1.

Runs as a program of its own, `python -I -c SOURCE seconds`, with the variables that the server
gets. Prints why there is no kernel, as JSON. The sum is asked for as an expression beside empty
code, because its answer comes back on the one channel that has to be open anyway.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "python3"
SHORT = "/tmp"  # noqa: S108 - a socket's path may have 107 bytes; the directory is private and new
LINES = 3  # of what a kernel said last


def main() -> None:
    """Prove the kernel; the last line that is printed is the answer."""
    with tempfile.TemporaryDirectory(prefix="kernel-", dir=SHORT) as directory:
        # Where the history of IPython and the sockets of the kernel go, too.
        os.environ["JUPYTER_RUNTIME_DIR"] = directory
        with Path(directory, "log").open("w+b") as log:
            reason = told(directory, float(sys.argv[1]), log)
        sys.stdout.write(json.dumps({"reason": reason}) + "\n")


def told(directory: str, seconds: float, log: Any) -> str | None:
    """Why there is no kernel, with what it said before its end."""
    try:
        reason = failure(directory, seconds, log)
    except Exception as error:  # jupyter_client has many for a kernel that cannot start
        reason = f"{type(error).__name__}: {error}"
    log.seek(0)
    return reason and last_words(reason, log.read()[-20000:].decode("utf-8", "replace"))


def failure(directory: str, seconds: float, log: Any) -> str | None:
    """Why the kernel does not compute; None when it does."""
    manager = importlib.import_module("jupyter_client.manager").KernelManager(
        kernel_name=NAME, transport="ipc", connection_file=f"{directory}/kernel.json"
    )
    manager.start_kernel(stdout=log, stderr=log)
    client = manager.blocking_client()
    try:
        client.start_channels(iopub=False, stdin=False, hb=False)
        client.execute("", silent=True, store_history=False, user_expressions={"sum": "1 + 1"})
        return answer(manager, client, time.monotonic() + seconds)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def answer(manager: Any, client: Any, deadline: float) -> str | None:
    """Wait for the sum, as long as there is somebody to compute it."""
    while time.monotonic() < deadline:
        try:
            return wrong(client.get_shell_msg(timeout=0.1)["content"])
        except queue.Empty:
            if not manager.is_alive():
                return "it ended before it computed anything"
    return "it did not compute 1 + 1 in time"


def wrong(content: dict[str, Any]) -> str | None:
    """What is wrong with the kernel's reply."""
    found = content.get("user_expressions", {}).get("sum", {})
    if found.get("data", {}).get("text/plain") == "2":
        return None
    return f"it computed 1 + 1 as {found or content}"


def last_words(reason: str, said: str) -> str:
    """The reason, and what the kernel printed before; of a traceback the error only."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and line[0] not in " \t"]
    lines = [line for line in lines if not line.startswith("Traceback ")]
    return " | ".join([" ".join(reason.split()), *lines[-LINES:]])


if __name__ == "__main__":
    main()

"""Ctrl-C while hosts are reached leaves nothing, however many signals Ansible sends after it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
# A worker of Ansible ends at once when it is told to; so many files are not removed at once.
WORKER = """
import os, signal
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_given: os._exit(1))
from ansible_collections.hpcc.notebook.plugins.plugin_utils._connect.reach import reach
with reach() as reached:
    for number in range(20_000):
        (reached.directory / f"file{number}").touch()
    print(reached.directory, flush=True)
    signal.pause()
"""


def test_no_second_signal_interrupts_the_removal_of_what_was_ours():
    with subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=CHECKOUT / "playbooks" / "collections",
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as worker:  # fmt: skip
        directory = Path(worker.stdout.readline().strip())
        assert len(list(directory.iterdir())) > 20_000
        worker.send_signal(signal.SIGINT)
        while worker.poll() is None:
            time.sleep(0.002)
            worker.send_signal(signal.SIGTERM)
    assert not directory.exists()

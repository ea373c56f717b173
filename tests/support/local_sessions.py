"""A Python of a person, with a home of its own, that computes with engines on this machine."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "packages" / "cluster_helper"
PATIENCE = 100
BEGIN = """
import os, time
from cluster_helper.cluster import cluster_view
with cluster_view(num_jobs={engines}, wait_for_all_engines=True, retries=1,
                  extra_params={{"run_local": True, "tag": "unit"}}) as view:
"""


class Session:
    """A Python of a person with a home of its own.

    With a script, the program lies in that file, and is run in another directory.
    """

    def __init__(self, home, text, engines=1, script=None, cwd=None, begin=None, **variables):
        self.home = home
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)}
        first = BEGIN.format(engines=engines) if begin is None else begin
        program = first + textwrap.indent(textwrap.dedent(text), "    ")
        if script is not None:
            script.write_text(program, encoding="utf-8")
        what = ["-c", program] if script is None else [str(script)]
        self.process = subprocess.Popen(
            [sys.executable, "-u", *what], env={**environment, **variables},
            cwd=home if cwd is None else cwd, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            # Whoever began the tests in the background had Ctrl-C ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        self.printed = ""

    def until(self, word):
        while word not in self.printed:
            line = self.process.stdout.readline()
            assert line, self.printed
            self.printed += line

    def end(self):
        self.printed += self.process.communicate(timeout=PATIENCE)[0]
        return self.printed

    def leaves_nothing(self):
        deadline = time.monotonic() + PATIENCE
        while left := processes(self.home) + self.files():
            assert time.monotonic() < deadline, left
            time.sleep(0.1)

    def files(self):
        return list((self.home / ".ipython" / "cluster_helper").iterdir())


def processes(home):
    """Those with the home in their command line: controller, supervisor's children, engines."""
    found = subprocess.run(["pgrep", "-f", "-a", str(home)], capture_output=True, text=True,
                           check=False)  # fmt: skip
    return [line for line in found.stdout.splitlines() if "pgrep" not in line]

"""The whole way with engines on this machine: start, work, every kind of end."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "roles" / "parallel" / "files" / "cluster_helper"
PATIENCE = 100
BEGIN = """
import os, time
from cluster_helper.cluster import cluster_view
with cluster_view(num_jobs=1, extra_params={"run_local": True, "tag": "unit"}, retries=1) as view:
"""

pytestmark = pytest.mark.timeout(300)


class Session:
    """A Python of a person with a home of its own."""

    def __init__(self, home, text):
        self.home = home
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)}
        program = BEGIN + textwrap.indent(textwrap.dedent(text), "    ")
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", program], env=environment, cwd=home, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
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
        while ours := processes(self.home):
            assert time.monotonic() < deadline, ours
            time.sleep(0.1)
        assert list((self.home / ".ipython" / "cluster_helper").iterdir()) == []


def processes(home):
    """Those that carry the home in their command line: controller, keeper's children, engines."""
    found = subprocess.run(["pgrep", "-f", "-a", str(home)], capture_output=True, text=True,
                           check=False)  # fmt: skip
    return [line for line in found.stdout.splitlines() if "pgrep" not in line]


def test_work_is_done_and_the_shipped_function_sees_ipython(tmp_path):
    session = Session(tmp_path, """
        def f(n):
            return n * 2, get_ipython().getoutput("echo from $((1 + 1))")
        print(view.map(f, range(3)))
        print(view.cluster.request.name, view.retries)
        try:
            view.map(lambda n: 1 / n, [0])
        except Exception as error:
            print("failed with", type(error).__name__)
    """)  # fmt: skip
    printed = session.end()
    assert "[(0, ['from 2']), (2, ['from 2']), (4, ['from 2'])]" in printed
    assert "unit-e 1" in printed
    assert "failed with" in printed
    assert "1 of 1 engines" in printed
    assert "insecure" not in printed
    assert session.process.returncode == 0
    session.leaves_nothing()


def test_an_exception_in_the_block_ends_everything(tmp_path):
    session = Session(tmp_path, "1 / 0")
    assert "ZeroDivisionError" in session.end()
    session.leaves_nothing()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_session_ends_everything(tmp_path, number):
    session = Session(tmp_path, """
        pending = view.map_async(lambda n: __import__("time").sleep(600), range(2))
        print("working")
        pending.get()
    """)  # fmt: skip
    session.until("working")
    session.process.send_signal(number)
    session.end()
    session.leaves_nothing()


def test_when_the_last_engine_is_gone_work_ends_with_the_reason(tmp_path):
    session = Session(tmp_path, """
        def kill_the_nanny(n):
            import os, time
            os.kill(os.getppid(), 9)
            time.sleep(600)
        view.map(kill_the_nanny, [1])
    """)  # fmt: skip
    printed = session.end()
    assert "Engine 0 is lost" in printed
    assert "no engine is left: signal 9" in printed
    session.leaves_nothing()

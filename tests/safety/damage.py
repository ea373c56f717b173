"""Damage a profile in thousands of ways, start Jupyter with each, and see whether anybody gets in.

damage.py            every case; ends with one line of figures, and exit 1 if a listener was open
damage.py --every N  each N-th case
damage.py --job      the same to a job: its own script runs, and its server is asked
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAFETY = Path(__file__).resolve().parent
COLLECTIONS = SAFETY.parents[1] / "playbooks" / "collections"
sys.path[:0] = [str(SAFETY.parent / "support"), str(COLLECTIONS)]

import servers  # noqa: E402
import small_slurm  # noqa: E402
from ansible_collections.hpcc.notebook.plugins.module_utils._server import launch as server_launch  # noqa: E402
from ansible_collections.hpcc.notebook.plugins.module_utils._server import layout as server  # noqa: E402

PARTS = max(2, os.cpu_count() or 2)
SETUP = f"""
import sys
sys.path[:0] = [{str(SAFETY.parent / "support")!r}, {str(COLLECTIONS)!r}]
from modules import run_module
from ansible_collections.hpcc.notebook.plugins.modules import (
    ipython_profile, notebook_certificate, notebook_password,
)
run_module(ipython_profile, name=sys.argv[1])
run_module(notebook_certificate, profile=sys.argv[1])
run_module(notebook_password, profile=sys.argv[1], password={servers.PASSWORD!r})
"""


@dataclass
class Report:
    """What came of all cases."""

    job: bool = False
    good: list[dict[str, str]] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)

    def add(self, line: dict[str, Any]) -> None:
        if line["name"] == "undamaged":
            self.good += line["good"]
        else:
            self.cases.append(line)

    @property
    def insecure(self) -> list[dict[str, Any]]:
        return [case for case in self.cases if "OPEN" in case["outcome"]]

    @property
    def undamaged(self) -> str:
        return " ".join(sorted({case["outcome"] for case in self.good}))

    @property
    def _started(self) -> str:
        if self.job:
            return "the job's own script was run all the same"
        return "with the same command line regardless of that"

    def __str__(self) -> str:
        outcomes = Counter(case["outcome"] for case in self.cases)
        refused = sum(bool(case["judged"]) for case in self.cases)
        took = sum(case["took"] for case in self.cases) / max(1, len(self.cases))
        return (
            f"{len(self.cases)} damaged configurations, {len(self.insecure)} insecure listeners\n"
            f"    our start refuses {refused}; {self._started}\n"
            f"    {outcomes['ended']} end by themselves, {outcomes['private']} serve with TLS and "
            f"password, {outcomes['useless']} let nobody in, {outcomes['waits']} wait for ever\n"
            f"    {took * 1000:.0f} ms each; the undamaged one: {self.undamaged}"
        )


def campaign(every: int, *, job: bool) -> Iterator[dict[str, Any]]:
    """The lines of all fork servers, one for each processor."""
    with servers.python_for_everybody() as python, ExitStack() as stack:
        accounts = [servers.new_account(python) for _each in range(PARTS)]
        for account in accounts:
            stack.callback(account.clean_up)
        lines: queue.Queue[dict[str, Any]] = queue.Queue()
        with ThreadPoolExecutor(PARTS) as pool:
            parts = [pool.submit(feed, lines, accounts[n], n, every, job) for n in range(PARTS)]
            while not all(part.done() for part in parts) or not lines.empty():
                with contextlib.suppress(queue.Empty):
                    yield lines.get(timeout=0.5)
            for part in parts:
                part.result()


def feed(lines: queue.Queue[dict[str, Any]], *part: Any) -> None:
    for line in run(*part):
        lines.put(line)


def run(account: servers.Account, part: int, every: int, job: bool) -> Iterator[dict[str, Any]]:
    """One fork server, with the environment that a real start gives."""
    account.directory.rename(account.home / "made-by-others")
    setup = account.command(account.python, "-c", SETUP, account.profile, USER="nobody")
    subprocess.run(setup, check=True, cwd="/")
    if job:
        submit(account)
    account.local.mkdir(mode=0o700, exist_ok=True)
    os.chown(account.local, account.uid, -1)
    layout = server.Layout(str(account.home), account.profile, "here", account.uid)
    asked = {
        "home": layout.home, "profile": layout.name, "port": free_port(),
        "every": every, "part": part, "parts": PARTS, "job": job,
    }  # fmt: skip
    argv = [account.python, "-I", str(SAFETY / "fork_server.py"), json.dumps(asked)]
    environment = server_launch.clean_environment(layout.home, "x", "/bin/sh")
    launch = server.Launch("lab", "socket", 8888)
    variables = {**environment, **server_launch.variables(layout, launch)}
    with subprocess.Popen(
        account.command(*argv, **variables), stdout=subprocess.PIPE, text=True, cwd=layout.home
    ) as process:
        assert process.stdout
        yield from map(json.loads, process.stdout)
    if process.returncode:
        raise SystemExit(f"the fork server ended with {process.returncode}")


def submit(account: servers.Account) -> None:
    """What start leaves in the profile for a job; the job that it submits ends here."""
    job = small_slurm.JobAccount(account)
    number = job.run("started", resources="walltime=02:00:00", timeout=120)["job"]
    account.run(str(account.home / "programs" / "scancel"), number)
    for name in ("end.json", "answer.json", "usage.json"):
        (account.directory / "job" / name).unlink(missing_ok=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def report(
    every: int, say: Callable[[Report], None] = lambda _found: None, *, job: bool = False
) -> Report:
    """Run the campaign."""
    found = Report(job)
    for line in campaign(every, job=job):
        found.add(line)
        say(found)
    return found


def progress(found: Report) -> None:
    """A line now and then for who waits."""
    if len(found.cases) % 100 == 1:
        print(f"    {len(found.cases)} cases, {len(found.insecure)} insecure", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="only each N-th case")
    parser.add_argument("--job", action="store_true", help="start the server as a job does")
    parser.add_argument("--show", action="store_true", help="print every case")
    options = parser.parse_args()
    began = time.monotonic()
    found = report(options.every, progress, job=options.job)
    for case in found.cases if options.show else found.insecure:
        print(json.dumps(case))
    print(found)
    print(f"    in {time.monotonic() - began:.0f} s")
    return 1 if found.insecure else 0


if __name__ == "__main__":
    sys.exit(main())

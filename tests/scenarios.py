"""All scenarios of Molecule, two at a time, each of the two on a test cluster of its own.

    tests/scenarios.py [SCENARIO…]

Scenarios of one account follow one another: they go on from what the one before has left. What a
scenario prints comes when its account is done with; the last line names those that failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent / "cluster"))
from topology import RELEASE, USUAL_WORKER, state, suffix

CHECKOUT = Path(__file__).parents[1]
CLUSTER = [sys.executable, str(CHECKOUT / "tests" / "cluster" / "cluster.py")]
BIN = Path(sys.executable).parent
MOLECULE = [str(BIN / "molecule")]
# As pytest-xdist calls its workers; tests/cluster/topology.py gives each a cluster.
WORKERS = (USUAL_WORKER, "gw1")


@dataclass(frozen=True)
class Result:
    """What became of the scenarios of an account, or of a cluster that did not come up."""

    what: tuple[str, ...]
    status: int
    seconds: float


def account_of(scenario: Path) -> str:
    """Whose home it changes; one without such an account has its own."""
    variables = yaml.safe_load((scenario / "vars.yml").read_text(encoding="utf-8"))
    return str(variables.get("ansible_user", scenario.name))


def batches(scenarios: Iterable[Path]) -> list[tuple[str, ...]]:
    """The scenarios of each account, in the order of their names; the longest batch first."""
    by_account: defaultdict[str, list[str]] = defaultdict(list)
    for scenario in sorted(scenarios):
        by_account[account_of(scenario)].append(scenario.name)
    return sorted(map(tuple, by_account.values()), key=len, reverse=True)


def notes(worker: str) -> Path:
    """What Molecule itself knows of its scenarios."""
    return CHECKOUT / ".cache" / f"molecule{suffix(RELEASE, worker)}"


def environment(worker: str) -> dict[str, str]:
    """Molecule's notes and files, and the cluster, of one worker."""
    return {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "HPCC_NOTEBOOK_WORKER": worker,
        "HPCC_NOTEBOOK_STATE": str(state(RELEASE, worker)),
        "MOLECULE_GLOB": str(CHECKOUT / "molecule" / "*" / "molecule.yml"),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(notes(worker)),
    }


class Worker:
    """Takes one batch after the other to its cluster, which stays up in between."""

    def __init__(self, name: str, waiting: list[tuple[str, ...]], printing: threading.Lock) -> None:
        self._name, self._environment = name, environment(name)
        self._waiting, self._printing = waiting, printing

    def work(self) -> list[Result]:
        """Until nothing waits any more, or at once when there is no cluster to work on."""
        began, up = time.monotonic(), self._call(*CLUSTER, "up")
        if up.returncode:
            return [self._report((f"the cluster of {self._name}",), [up], began)]
        results = []
        while True:
            with self._printing:
                if not self._waiting:
                    break
                batch = self._waiting.pop(0)
            results.append(self._test(batch))
        self._call(*CLUSTER, "down")
        return results

    def _test(self, batch: tuple[str, ...]) -> Result:
        began = time.monotonic()
        return self._report(batch, [self._run(scenario) for scenario in batch], began)

    def _report(
        self, what: tuple[str, ...], runs: list[subprocess.CompletedProcess[bytes]], began: float
    ) -> Result:
        """What was said, and what became of it."""
        result = Result(what, max(done.returncode for done in runs), time.monotonic() - began)
        with self._printing:
            print(*(done.stdout.decode(errors="replace") for done in runs), sep="", end="")
            print(f"{' '.join(what)}: {result.seconds:.0f} s", flush=True)
        return result

    def _run(self, scenario: str) -> subprocess.CompletedProcess[bytes]:
        """From the beginning: Molecule would take what it has prepared for another for done."""
        shutil.rmtree(notes(self._name), ignore_errors=True)
        return self._call(*MOLECULE, "test", "--destroy=never", "-s", scenario)

    def _call(self, *argv: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            argv, cwd=CHECKOUT, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip


def main(names: list[str]) -> int:
    """Run them, and say which failed."""
    every = [path.parent for path in (CHECKOUT / "molecule").glob("*/molecule.yml")]
    chosen = [path for path in every if not names or path.name in names]
    waiting, printing = batches(chosen), threading.Lock()
    workers = [Worker(name, waiting, printing) for name in WORKERS[: len(waiting)]]
    with ThreadPoolExecutor(len(workers)) as pool:
        results = [result for part in pool.map(Worker.work, workers) for result in part]
    failed = [" ".join(result.what) for result in results if result.status]
    print(f"Failed, or one of them: {'; '.join(failed)}" if failed else "No scenario failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

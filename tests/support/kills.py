"""Kills whatever takes part in an installation; the next run has to bring it to its end.

Two campaigns: kills of any part at random moments, and of the host's part after each single step.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import directly
from one_task import TaskFailed
from small_distribution import installer
from test_conda_distribution import MACHINE, Account

PARTS = ("controller", "connection", "worker", "installer", "the whole host")
# The programs of the host that change something; what changes between two of them changes at once.
STEPS = ("mv", "ln", "rm", "rmdir", "mkdir", "chmod", "sync")
_STEP = """#!/bin/sh
# Does its work, and kills whoever wanted it when this was the step to be killed after.
{real} "$@"
code=$?
echo step >>{count}
[ "$(wc -l <{count})" -ne "$(cat {last})" ] || kill -KILL 0
exit $code
"""


@dataclass
class Outcome:
    """What a campaign found."""

    clean: float = 0
    kills: Counter[str] = field(default_factory=Counter)
    ratios: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    uses: int = 0
    unusable: int = 0

    @property
    def slowest(self) -> float:
        """The slowest recovery as a multiple of an undisturbed installation at that time."""
        return max(self.ratios, default=0)


class Watch:
    """Uses the live installation all the time, and counts how often it could not."""

    def __init__(self, prefix: Path, outcome: Outcome) -> None:
        self._python = str(prefix / "bin/python")
        self._outcome = outcome
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._use)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join()

    def _use(self) -> None:
        while not self._end.wait(0.1):
            done = subprocess.run(
                [self._python, "-c", "import parcel"], capture_output=True, check=False
            )
            self._outcome.uses += 1
            self._outcome.unusable += done.returncode != 0


def processes() -> dict[int, tuple[int, str]]:
    """Group and command of each process of this machine."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            group = int(stat.read_text().rsplit(")", 1)[1].split()[2])
            line = stat.with_name("cmdline").read_text().replace("\0", " ")
        except (OSError, IndexError):
            continue
        found[int(stat.parent.name)] = (group, line)
    return found


class Upgrades:
    """An account that gets one version after another; `sleep` is how long an installer idles."""

    def __init__(
        self,
        account: Account,
        sleep: float,
        *,
        before_the_end: str = "",
        root: str = "",
        **options: object,
    ) -> None:
        self.account, self._sleep, self._before_the_end = account, sleep, before_the_end
        account.options.update(options)
        # What is mounted elsewhere is seen below the root of whoever mounted it.
        self.prefix = Path(f"{root}{account.prefix}")
        self.store = Path(f"{self.prefix}.d")
        self.number = 0

    def next(self) -> directly.Directly:
        """The run that brings the next version."""
        self.number += 1
        end = f"{self._before_the_end}exit 0 # {self.number}"
        text = installer(self.account.served.certificate, sleep=self._sleep, end=end)
        name = f"Miniforge3-{self.number}.0-1-Linux-{MACHINE}.sh"
        options = {**self.account.options, **self.account.served.publish(name, text)}
        home = {"HOME": str(self.account.home)}
        return directly.Directly(options, {**os.environ, **home, **self.account.environment})

    def faults(self, run: directly.Directly) -> list[str]:
        """What is not as it has to be once this run has reached its end."""
        again = run.run()
        rests = directly.at_rest(self.store)  # a worker tidies up until it has freed the lock
        found = self.store.glob("miniforge-*")  # of a pruned one, a link stays
        trees = {path.name for path in found if not path.is_symlink()}
        marked = {path.name for path in (self.store / "markers").glob("miniforge-*")}
        live = str(self.prefix.readlink())
        left = [*self.store.glob("downloads/*"), *self.store.glob("trash/*")]
        checks = {
            f"the run after that changed something: {again['reason']}": again["changed"],
            f"the trees {trees} are not the complete ones {marked}": trees != marked,
            f"{live} is live": f"-{self.number}.0-1-" not in live,
            "the lock was left": not rests,
            f"rubbish was left: {left}": bool(left),
        }
        return [fault for fault, there in checks.items() if there]


def recover(upgrades: Upgrades, run: directly.Directly, what: str, outcome: Outcome) -> float:
    """Run once more, as a person would; give the seconds that this took."""
    began = time.monotonic()
    try:
        run.run()
    except TaskFailed as failed:
        outcome.faults.append(f"{what}: the next run failed: {failed}")
        return 0
    seconds = time.monotonic() - began
    outcome.faults += [f"{what}: {fault}" for fault in upgrades.faults(run)]
    return seconds


class AnyMoment:
    """Kills of any part, at random moments."""

    def __init__(self, account: Account, seed: int, sleep: float) -> None:
        self._upgrades = Upgrades(account, sleep)
        self._chance = random.Random(seed)
        self._times: list[float] = []
        self.outcome = Outcome()

    def run(self, kills: int, clean: int) -> Outcome:
        """So many kills, with so many undisturbed upgrades between a few of them."""
        self._upgrades.next().run()
        with Watch(self._upgrades.account.prefix, self.outcome):
            while self.outcome.kills.total() < kills:
                if self.outcome.kills.total() % len(PARTS) == 0:
                    self._measure(clean)
                self._kill_one(PARTS[self.outcome.kills.total() % len(PARTS)])
        return self.outcome

    def _measure(self, times: int) -> None:
        """Undisturbed upgrades, again and again, since the machine may have other work."""
        for _each in range(times):
            began = time.monotonic()
            self._upgrades.next().run()
            self._times.append(time.monotonic() - began)
        self.outcome.clean = statistics.median(self._times[-5:])

    def _kill_one(self, part: str) -> None:
        run = self._upgrades.next()
        process = self._started(run)
        time.sleep(self._chance.uniform(0, self.outcome.clean))
        while process.poll() is None and not self._kill(part, process.pid):
            time.sleep(0.01)
        if process.poll() == 0:
            return
        killed = time.monotonic()
        self.outcome.kills[part] += 1
        alone = process.wait() == 0  # the run that lost its worker went on unaided
        seconds = time.monotonic() - killed
        again = recover(self._upgrades, run, part, self.outcome)
        self.outcome.ratios.append((seconds if alone else again) / self.outcome.clean)

    def _started(self, run: directly.Directly) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, directly.__file__], stdin=subprocess.PIPE, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin
        text = json.dumps({"options": run.options, "environment": run.environment})
        process.stdin.write(text.encode())
        process.stdin.close()
        lock = self._upgrades.store / "lock"
        while process.poll() is None and not lock.is_symlink():
            time.sleep(0.01)
        return process

    def _kill(self, part: str, controller: int) -> bool:
        """Whether there was something to kill."""
        found = self._victims(controller)[part]
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return bool(found)

    def _victims(self, controller: int) -> dict[str, list[int]]:
        """The processes of each part that lives at this moment."""
        everything, worker = processes(), self._worker()
        session = [pid for pid, (group, _line) in everything.items() if group == controller]
        group = [pid for pid, (leader, _line) in everything.items() if worker and leader == worker]
        return {
            "controller": session,
            "connection": [pid for pid in session if "sh -s" in everything[pid][1]],
            "worker": [worker] if worker in everything else [],
            "installer": [pid for pid in group if pid != worker],
            "the whole host": session + group,
        }

    def _worker(self) -> int:
        try:
            return directly.worker(self._upgrades.store)
        except OSError:
            return 0


class Steps:
    """Programs of the host that kill whoever uses them after so many steps in all."""

    def __init__(self, directory: Path) -> None:
        self._count, self._last = directory / "steps", directory / "last"
        self._first = directory / "each-step"
        self._first.mkdir()
        for name in STEPS:
            text = _STEP.format(real=f"/usr/bin/{name}", count=self._count, last=self._last)
            (self._first / name).write_text(text)
            (self._first / name).chmod(0o755)

    def run(self, run: directly.Directly, last: int, **changes: object) -> bool:
        """Whether it came to the last step, and was killed there."""
        self._count.write_text("")
        self._last.write_text(str(last))
        path, run.apart = run.environment["PATH"], True
        run.environment["PATH"] = f"{self._first}:{path}"
        try:
            run.run(**changes)
        except TaskFailed:
            self._last.write_text("0")  # what failed was killed; a person runs it again
        run.environment["PATH"] = path
        return len(self._count.read_text().splitlines()) >= last


class EachStep:
    """Upgrades, killed after the first step, after the second, and so on."""

    def __init__(self, account: Account) -> None:
        self._upgrades = Upgrades(account, sleep=0, packages=[])
        self._steps = Steps(account.directory)

    def run(self, every: int = 1) -> Outcome:
        """Until an upgrade has come to its end before the step was reached."""
        outcome = Outcome()
        self._upgrades.next().run()
        last = 1
        while self._reaches(last, outcome):
            last += every
        return outcome

    def _reaches(self, last: int, outcome: Outcome) -> bool:
        run = self._upgrades.next()
        self._watched(run, outcome)
        reached = self._steps.run(run, last)
        outcome.kills["step"] += reached
        recover(self._upgrades, run, f"step {last}", outcome)
        return reached

    def _watched(self, run: directly.Directly, outcome: Outcome) -> None:
        """Use what is live before each command."""
        execute, python = run._execute, str(self._upgrades.account.prefix / "bin/python")

        def watched(command: str, stdin: bytes) -> dict[str, object]:
            outcome.uses += 1
            outcome.unusable += (
                subprocess.run([python, "-S", "-c", ""], check=False).returncode != 0
            )
            return execute(command, stdin)

        run._execute = watched  # type: ignore[method-assign]


class EachStepOfARemoval:
    """Removals, killed in the same way; what people made has to outlive all of them."""

    def __init__(self, account: Account) -> None:
        self._upgrades = Upgrades(account, sleep=0, packages=[])
        self._steps = Steps(account.directory)
        self._own = Path(f"{account.prefix}.d/envs/mine")

    def run(self, every: int = 1) -> Outcome:
        """Until a removal has come to its end before the step was reached."""
        outcome, last = Outcome(), 1
        self._upgrades.next().run()  # what lies there before would keep the store from being ours
        self._own.mkdir(parents=True)
        while self._reaches(last, outcome):
            last += every
        return outcome

    def _reaches(self, last: int, outcome: Outcome) -> bool:
        run = self._upgrades.next()
        run.run()
        reached = self._steps.run(run, last, state="absent")
        outcome.kills["step"] += reached
        run.run(state="absent")
        left = sorted(str(path) for path in self._own.parents[1].rglob("*"))
        identity = self._own.parents[1] / ".hpcc-notebook-store"  # it stays with what stays
        if (
            left != [str(identity), str(self._own.parent), str(self._own)]
            or self._upgrades.prefix.is_symlink()
        ):
            outcome.faults.append(f"step {last}: {left} was left")
        if run.run(state="absent")["changed"]:
            outcome.faults.append(f"step {last}: the run after that changed something")
        return reached

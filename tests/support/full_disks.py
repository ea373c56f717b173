"""Disks that somebody fills during an upgrade, at so many different moments."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from unittest import mock

from ansible_collections.hpcc.notebook.plugins.module_utils._installation import installers
from file_systems import FileSystem
from kills import Outcome, Upgrades, recover
from one_task import TaskFailed
from test_conda_distribution import Account

# What an installer brings, in pieces, so that the disk can fill at any of them.
_PIECES = 150
_BRING = f"""n=0
while [ $n -lt {_PIECES} ]; do
  n=$((n + 1)); head -c 16000 /dev/zero >"$prefix/piece-$n" || exit 1
done
"""
MODEST = replace(installers.DISTRIBUTIONS["miniforge"], kib=100, inodes=10)
GENEROUS = "size=200m,nr_inodes=100000"


class Sweep:
    """Upgrades on a file system that has a little more room each time."""

    def __init__(self, account: Account, disk: FileSystem) -> None:
        self._disk = disk
        self._upgrades = Upgrades(account, sleep=0, before_the_end=_BRING, root=disk.root)
        self._behind = disk.behind
        self.outcome = Outcome()
        self.words: Counter[str] = Counter()

    def run(self, unit: str, limits: list[int]) -> None:
        """`unit` is KiB or inodes; a limit is what is free of them at the beginning."""
        # Believes that there is enough: what others write meanwhile, nobody can foresee.
        with mock.patch.dict(installers.DISTRIBUTIONS, miniforge=MODEST):
            self._next().run()
            for limit in limits:
                self._fill(unit, limit)

    def _next(self):
        run = self._upgrades.next()
        run.behind = self._behind
        return run

    def _fill(self, unit: str, limit: int) -> None:
        kib, inodes = self._disk.used()
        size = f"size={kib + limit}k" if unit == "KiB" else f"nr_inodes={inodes + limit}"
        self._disk.remount(size)
        run = self._next()
        try:
            run.run()
            self.words["it was enough"] += 1
        except TaskFailed as failed:
            self._judge(f"{limit} {unit} free", unit, str(failed))
        self.outcome.uses += 1
        self.outcome.unusable += self._unusable()
        self._disk.remount(GENEROUS)
        recover(self._upgrades, run, f"{limit} {unit} free", self.outcome)

    def _judge(self, what: str, unit: str, words: str) -> None:
        expected = "not enough room" if unit == "KiB" else "not enough inodes"
        self.words[expected] += expected in words
        if expected not in words or "are free" not in words:
            self.outcome.faults.append(f"{what}: it says {words}")

    def _unusable(self) -> bool:
        python = f"{self._upgrades.account.prefix}/bin/python"
        done = subprocess.run([*self._behind, python, "-c", "import parcel"], check=False)
        return done.returncode != 0

"""Kills and full disks during an installation: what is live stays so, the next run converges.

tests/chaos.py [KILLS]      at random moments, 100 by default; then one after each single step
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "tests/unit"), str(CHECKOUT / "playbooks/collections")]
GOAL = 1.3


def main(kills: int) -> int:
    """Run both campaigns and say how they went."""
    from file_systems import tmpfs  # type: ignore[import-not-found]
    from full_disks import GENEROUS, Sweep  # type: ignore[import-not-found]
    from kills import AnyMoment, EachStep, EachStepOfARemoval, Outcome  # type: ignore[import-not-found]
    from small_distribution import mirror, wheel  # type: ignore[import-not-found]
    from test_conda_distribution import Account  # type: ignore[import-not-found]

    def report(found: Outcome) -> None:
        total = found.kills.total()
        parts = ", ".join(f"{part} {number}" for part, number in found.kills.items())
        total = total or found.uses
        print(f"kills, or disks                    {total} ({parts})")
        print(f"converged unaided                  {total - len(found.faults)}")
        print(f"live installation unusable         {found.unusable} of {found.uses} uses")
        print("".join(f"fault: {fault}\n" for fault in found.faults), end="", flush=True)

    seed = int(time.time())
    with tempfile.TemporaryDirectory() as directory, mirror(Path(directory)) as served:
        wheel(served.root, "parcel", "2.1", "VALUE = 21")
        places = [Path(directory, name) for name in ("moments", "steps", "disks", "removals")]
        for place in places:
            place.mkdir()
        print(f"at random moments (seed {seed})", flush=True)
        moments = AnyMoment(Account(places[0], served), seed, sleep=3).run(kills, clean=1)
        report(moments)
        clean = f"clean {moments.clean:.2f} s, goal {GOAL}"
        print(f"slowest recovery / clean time      {moments.slowest:.2f} ({clean})")
        print("after each single step of the host", flush=True)
        steps = EachStep(Account(places[1], served)).run()
        report(steps)
        print("after each single step of a removal", flush=True)
        removals = EachStepOfARemoval(Account(places[3], served)).run()
        report(removals)
        print("on disks that fill up, of 25 sizes and 25 numbers of files", flush=True)
        account = Account(places[2], served)
        with tmpfs(account.home, GENEROUS) as disk:
            sweep = Sweep(account, disk)
            sweep.run("KiB", list(range(50, 3050, 120)))
            sweep.run("inodes", list(range(12, 212, 8)))
        print(", ".join(f"{words} {number}" for words, number in sweep.words.items()))
        report(sweep.outcome)
    bad = any(found.faults or found.unusable for found in (moments, steps, removals, sweep.outcome))
    return 1 if bad or moments.slowest > GOAL else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))

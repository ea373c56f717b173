"""Kills and full disks during an installation: what is live stays so, the next run converges.

And whatever else lies around and inside of it is the person's, and stays.

tests/chaos.py [KILLS]      at random moments, 100 by default; then one after each single step
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
for _place in ("tests/support", "tests/host", "playbooks/collections"):
    sys.path.insert(0, str(CHECKOUT / _place))
GOAL = 1.3


def at_random_moments(account: Any, kills: int) -> bool:
    """Whether so many kills of any part did no harm, and none took much longer to mend."""
    from kills import AnyMoment  # type: ignore[import-not-found]

    seed = int(time.time())
    print(f"at random moments (seed {seed})", flush=True)
    found = AnyMoment(account, seed, sleep=3).run(kills, clean=1)
    harmless = report(found)
    clean = f"clean {found.clean:.2f} s, goal {GOAL}"
    print(f"slowest recovery / clean time      {found.slowest:.2f} ({clean})", flush=True)
    return harmless and found.slowest <= GOAL


def while_servers_run(account: Any, kills: int) -> bool:
    """Whether as many kills were noticed by nobody who works."""
    from served_upgrades import UnderServers  # type: ignore[import-not-found]

    seed = int(time.time())
    print(f"at random moments while servers run (seed {seed})", flush=True)
    campaign = UnderServers(account, seed, sleep=1)
    harmless = report(campaign.run(kills, clean=1))
    served = campaign.served
    print(f"servers                            {served.servers}")
    print(f"requests failed                    {len(served.failed)} of {served.requests}")
    print(f"generations lost under a server    {len(served.lost)}", flush=True)
    print("".join(f"failed: {each}\n" for each in served.failed[:9]), end="", flush=True)
    return harmless and not served.failed and not served.lost


def after_each_step(account: Any) -> bool:
    """The same after each single step of the host."""
    from kills import EachStep

    print("after each single step of the host", flush=True)
    return report(EachStep(account).run())


def after_each_step_of_a_removal(account: Any) -> bool:
    """The same for removals."""
    from kills import EachStepOfARemoval

    print("after each single step of a removal", flush=True)
    return report(EachStepOfARemoval(account).run())


def on_full_disks(account: Any) -> bool:
    """The same for disks that fill up."""
    from file_systems import tmpfs  # type: ignore[import-not-found]
    from full_disks import GENEROUS, Sweep  # type: ignore[import-not-found]

    print("on disks that fill up, of 25 sizes and 25 numbers of files", flush=True)
    with tmpfs(account.home, GENEROUS) as disk:
        sweep = Sweep(account, disk)
        sweep.run("KiB", list(range(50, 3050, 120)))
        sweep.run("inodes", list(range(12, 212, 8)))
    print(", ".join(f"{words} {number}" for words, number in sweep.words.items()))
    return report(sweep.outcome)


def among_belongings(_account: Any, trees: int = 500) -> bool:
    """Whether nothing of a person is lost, whatever lies around and inside of an installation."""
    from belongings import Campaign  # type: ignore[import-not-found]

    print(f"among {trees} random trees of a person", flush=True)
    found = Campaign().run(trees)
    print(f"trees, files in them               {found.trees}, {found.files}")
    print(f"generations removed meanwhile      {found.removed}")
    print(f"files lost                         {len(found.lost)}")
    print("".join(f"lost: {loss}\n" for loss in found.lost), end="", flush=True)
    return found.removed >= found.trees and not found.lost


def report(found: Any) -> bool:
    """Say how a campaign went; whether it did no harm."""
    total = found.kills.total()
    parts = ", ".join(f"{part} {number}" for part, number in found.kills.items())
    total = total or found.uses
    print(f"kills, or disks                    {total} ({parts})")
    print(f"converged unaided                  {total - len(found.faults)}")
    print(f"live installation unusable         {found.unusable} of {found.uses} uses")
    print("".join(f"fault: {fault}\n" for fault in found.faults), end="", flush=True)
    return not (found.faults or found.unusable)


def main(kills: int) -> int:
    """Run each campaign on an account of its own."""
    from small_distribution import mirror, wheel  # type: ignore[import-not-found]
    from test_conda_distribution import Account  # type: ignore[import-not-found]

    campaigns: tuple[Callable[[Any], bool], ...] = (
        lambda account: at_random_moments(account, kills),
        lambda account: while_servers_run(account, kills),
        after_each_step,
        after_each_step_of_a_removal,
        on_full_disks,
        among_belongings,
    )
    with tempfile.TemporaryDirectory() as directory, mirror(Path(directory)) as served:
        wheel(served.root, "parcel", "2.1", "VALUE = 21")
        harmless = []
        for number, campaign in enumerate(campaigns):
            place = Path(directory, f"campaign-{number}")
            place.mkdir()
            harmless.append(campaign(Account(place, served)))
    return 0 if all(harmless) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))

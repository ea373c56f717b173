"""What engines cost beside plain ipyparallel and dask-jobqueue, on the same Slurm in one run.

The three take turns, so that a slow moment of the machine falls on all; the figure is the median.
Every one has all its workers before the 200 tasks begin. There are five rounds, or as many as begin
within three minutes; a contender that fails in one is asked again in the next.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import CHECKOUT, fresh, on_node

ACCOUNT = "heidi"
ROUNDS, SECONDS = 5, 180
PATIENCE = 90  # seconds that one start, its tasks and its end may take
OURS = "cluster_view"
NAMES = (OURS, "ipyparallel", "dask")
Times = tuple[float, float]
"""Seconds to the first result, and for 200 tasks."""
GOALS = {"time to the first result": 1.05, "200 tasks": 1.0}
PACKAGE = CHECKOUT / "packages" / "cluster_helper"
SITE = "/opt/site/anaconda/bin/python"
# An environment over the site's installation, with our package and what it is compared with.
PREPARE = f"""
set -e; {SITE} -m venv --without-pip env; cd env/lib/python3*/site-packages
{SITE} -c 'import ipyparallel; print(ipyparallel.__path__[0].rpartition("/")[0])' > site.pth
tar -x --wildcards '*.py' 'cluster_helper'
{SITE} -m pip install -q --target . --index-url https://mirror/simple/ dask-jobqueue
mkdir -p ~/.config; printf '%s\\n' '[cluster]' 'queue = main' > ~/.config/cluster_helper.ini
"""


def said(script: str, stdin: bytes = b"") -> str:
    """What a script prints on the node; what it complains of belongs to its error."""
    return on_node(ACCOUNT, script, stdin, subprocess.PIPE)


def prepare() -> None:
    fresh(ACCOUNT)
    packed = subprocess.run(
        ["tar", "-C", PACKAGE, "-c", "cluster_helper"], capture_output=True, check=True
    )
    said(PREPARE, packed.stdout)
    said("cat > contenders.py", Path(__file__).with_name("contenders.py").read_bytes())


def race(name: str) -> Times | None:
    """Each starts on a cluster that nobody uses, whatever the one before has left."""
    said('scancel --user $USER; until [ -z "$(squeue --me --noheader)" ]; do sleep 0.2; done')
    try:
        printed = said(f"timeout {PATIENCE} env/bin/python contenders.py {name}")
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode().strip().splitlines()[-1:]
        print(f"  {name}: exit {error.returncode} {' '.join(last)}", flush=True)
        return None
    first, tasks = map(float, printed.split()[-2:])
    print(f"  {name:13}{first:6.2f} s to the first result, {tasks:5.2f} s for 200", flush=True)
    return first, tasks


def rounds() -> Iterator[dict[str, Times]]:
    """The times of all who came through, for each round."""
    end = time.monotonic() + SECONDS
    for number in range(1, ROUNDS + 1):
        if time.monotonic() > end:
            return
        print(f"round {number} of {ROUNDS}", flush=True)
        raced = {name: race(name) for name in NAMES}
        yield {name: times for name, times in raced.items() if times is not None}


def report(what: str, times: dict[str, list[float]]) -> None:
    """One line: ours, the others, and the ratio to the faster of them."""
    medians = {name: statistics.median(times[name]) for name in NAMES}
    ratio = medians[OURS] / min(time for name, time in medians.items() if name != OURS)
    shown = "   ".join(f"{name} {time:5.2f} s" for name, time in medians.items())
    verdict = "reached" if ratio <= GOALS[what] else "NOT reached"
    print(f"{what:26}{shown}   ratio {ratio:4.2f} (goal {GOALS[what]:.2f}, {verdict})")


def main() -> None:
    prepare()
    all_rounds = list(rounds())
    missing = [name for name in NAMES if not any(name in each for each in all_rounds)]
    if missing:
        sys.exit(f"{', '.join(missing)} did not come through once")
    for index, what in enumerate(GOALS):
        times = {name: [each[name][index] for each in all_rounds if name in each] for name in NAMES}
        report(what, times)


if __name__ == "__main__":
    main()

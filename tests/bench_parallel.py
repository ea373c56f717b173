"""What engines cost beside plain ipyparallel and dask-jobqueue, on the same Slurm in one run.

The three take turns, so that a slow moment of the machine falls on all; the figure is the median.
"""

from __future__ import annotations

import shlex
import statistics
import subprocess
from pathlib import Path

from bench import CHECKOUT, STATE, fresh

ACCOUNT = "heidi"
ROUNDS = 5
NAMES = ("cluster_view", "ipyparallel", "dask")
GOALS = {"time to the first result": 1.05, "200 tasks": 1.0}
PACKAGE = CHECKOUT / "roles" / "parallel" / "files" / "cluster_helper"
SITE = "/opt/site/anaconda/bin/python"
# An environment over the site's installation, with our package and what it is compared with.
PREPARE = f"""
set -e; {SITE} -m venv --without-pip env; cd env/lib/python3*/site-packages
{SITE} -c 'import ipyparallel; print(ipyparallel.__path__[0].rpartition("/")[0])' > site.pth
tar -x --wildcards '*.py' 'cluster_helper'
{SITE} -m pip install -q --target . --index-url https://mirror/simple/ dask-jobqueue
mkdir -p ~/.config; printf '%s\\n' '[cluster]' 'queue = main' > ~/.config/cluster_helper.ini
"""


def on_node(script: str, stdin: bytes = b"") -> str:
    config = str(STATE / "ssh_config")
    command = ["ssh", "-F", config, f"{ACCOUNT}@dev1", f"bash -c {shlex.quote(script)}"]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout.decode()


def prepare() -> None:
    fresh(ACCOUNT)
    packed = subprocess.run(
        ["tar", "-C", PACKAGE, "-c", "cluster_helper"], capture_output=True, check=True
    )
    on_node(PREPARE, packed.stdout)
    on_node("cat > contenders.py", Path(__file__).with_name("contenders.py").read_bytes())


def race(name: str) -> tuple[float, ...]:
    """Each starts on a cluster that nobody uses, whatever the one before has left."""
    on_node('scancel --user $USER; until [ -z "$(squeue --me --noheader)" ]; do sleep 0.2; done')
    line = on_node(f"env/bin/python contenders.py {name}")
    return tuple(map(float, line.split()[-2:]))


def one_round() -> list[tuple[float, ...]]:
    return [race(name) for name in NAMES]


def report(what: str, rounds: list[tuple[float, ...]]) -> None:
    """One line: ours, the others, and the ratio to the faster of them."""
    ours, *others = [statistics.median(column) for column in zip(*rounds, strict=True)]
    times = "   ".join(
        f"{name} {time:5.2f} s" for name, time in zip(NAMES, (ours, *others), strict=True)
    )
    print(f"{what:26}{times}   ratio {ours / min(others):4.2f} (goal {GOALS[what]:.2f})")


if __name__ == "__main__":
    prepare()
    rounds = [one_round() for _each in range(ROUNDS)]
    for index, what in enumerate(GOALS):
        report(what, [tuple(times[index] for times in each) for each in rounds])

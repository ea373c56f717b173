"""What it costs that the server is a job, beside a server on a node and beside `sbatch` itself.

The containers share this machine's clock: the moment when a process began there can be read here.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import time

from bench import alternate, fresh, on_node, playbook, report
from bench_forward import answered, running
from starts import end, free_port, printed
from starts import playbook as said_by

ACCOUNT = "heidi"
JOB = {"nbserver_where": "job", "nbserver_resources": "walltime=00:10:00"}
BY_HAND = "sbatch --wait --output=began --time=1 --wrap='cat /proc/uptime' > /dev/null; cat began"
GOAL_RATIO, GOAL_SECONDS = 1.2, 1.5
RECORDS = "cat ~/.ipython/profile_nbserver/run/*.json"
SCRIPT = "cat /proc/$(pgrep -o -u {user} -f [s]upervisor.py)/stat"  # it took the script's place
TICKS = os.sysconf("SC_CLK_TCK")


def now() -> float:
    """Seconds since this machine was started, as the kernel counts for processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def began(stat: str) -> float:
    """When a process did, from its line in /proc."""
    return int(stat.rpartition(")")[2].split()[19]) / TICKS


def serve(**more: object) -> tuple[float, float, float]:
    """Start, and paste the command: when it was typed, when the server's process began, now."""
    port, typed = free_port(), now()
    said = said_by("start", ansible_user=ACCOUNT, nbserver_local_port=port, **more)
    with running(shlex.split(printed(r"^ +(ssh .*)$", said)), dict(os.environ)) as tunnel:
        answered(tunnel, port, time.monotonic(), secure=True)
        through = now()
        end(tunnel)
    return typed, process_began(said), through


def process_began(said: str) -> float:
    node = printed(r"Notebook server on (\S+) is running", said)
    if node == "dev1":
        pid = json.loads(on_node(ACCOUNT, RECORDS))["pid"]
        return began(on_node(ACCOUNT, f"cat /proc/{pid}/stat"))
    look = SCRIPT.format(user=ACCOUNT)
    return began(on_node(ACCOUNT, f"ssh -o BatchMode=yes {node} {shlex.quote(look)}"))


def on_a_node() -> float:
    """Seconds from the server's process to its page here."""
    _typed, process, through = serve()
    playbook("playbooks/stop.yml", ACCOUNT)
    return through - process


def in_a_job() -> tuple[float, float]:
    """The same from the job's first process, and what it took to come so far."""
    typed, process, through = serve(**JOB)
    said_by("stop", ansible_user=ACCOUNT, **JOB)
    return through - process, process - typed


def by_hand() -> float:
    """From `sbatch` typed to a job's first process."""
    typed = now()
    return float(on_node(ACCOUNT, BY_HAND).split()[0]) - typed


def main() -> None:
    """Both goals, each beside the same without us."""
    fresh(ACCOUNT)
    playbook("playbooks/setup.yml", ACCOUNT)
    submitting: list[float] = []

    def served() -> float:
        took, until_it_runs = in_a_job()
        submitting.append(until_it_runs)
        return took

    job, node, hand = alternate(5, served, on_a_node, by_hand)
    report("from a job that runs to its page", job, "the same on a node", node, GOAL_RATIO)
    more = statistics.median(submitting) - hand
    print(f"{'start.yml until the job runs':34}{more + hand:7.2f} s   {'sbatch by hand':34}"
          f"{hand:7.2f} s   {more:5.2f} s more (goal {GOAL_SECONDS:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()

"""A notebook as a job, as a person asks for it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pexpect
from job_sites import GRIDENGINE, SLURM, STATE, USER, Site, on, root
from terminal import BIN, CHECKOUT, environment, playbook
from waiting import nothing_left

sys.path.insert(0, str(CHECKOUT / "tests"))
sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))

import starts
from ansible_collections.hpcc.notebook.plugins.module_utils._job import supervisor
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.cluster_helper_texts import (
    cluster_helper_texts,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.module_program import (
    ModuleProgram,
    module_program,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.sent_program import program

RESOURCES = {"nbserver_resources": "walltime=00:20:00;mem=300mb"}
WORDS = json.dumps({"ansible_user": USER, "nbserver_profile_password": starts.PASSWORD})


def run(name: str, site: Site = SLURM, **more: object) -> str:
    given = {"nbserver_where": "job", **site.variables, **more}
    return playbook(name, "-e", WORDS, "-e", json.dumps(given))


@contextmanager
def starting(site: Site, **more: object) -> Iterator[pexpect.spawn]:
    """start.yml in a terminal, until it has ended."""
    given = {"nbserver_where": "job", **site.variables, **RESOURCES, **more}
    words = ["playbooks/start.yml", "-i", str(STATE / "inventory.ini"), "-e", WORDS]
    terminal = pexpect.spawn(
        str(BIN / "ansible-playbook"), [*words, "-e", json.dumps(given)], cwd=str(CHECKOUT),
        encoding="utf-8", timeout=180, dimensions=(50, 300), env=environment(),
    )  # fmt: skip
    try:
        yield terminal
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close()


def jobs() -> list[str]:
    """The person's jobs of either scheduler."""
    return [*SLURM.jobs(), *GRIDENGINE.jobs()]


def submitting(successor: bool) -> ModuleProgram:
    """What start sends to the node."""
    given = {"resources": "walltime=00:20:00", "program": program(supervisor.__name__)}
    given |= {"successor": True} if successor else {}
    return module_program("notebook_job", given, check=False, also=cluster_helper_texts())


def begun(host: str, *, successor: bool = False) -> tuple[subprocess.Popen[bytes], ModuleProgram]:
    """A start on the node; the pid of the program there lies in a file."""
    sent = submitting(successor)
    command = f"echo $$ > ~/pid-{host}; exec ~/anaconda/bin/python -I -"
    process = subprocess.Popen(
        ["ssh", "-F", str(STATE / "ssh_config"), f"{USER}@{host}", command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(sent.program)
    process.stdin.close()
    process.stdin = None
    return process, sent


def one_of_two_killed(
    times: int, *, at_most: int, successor: bool = False
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Both login nodes submit at once, and one is killed at any instant; what the other answers."""
    dice = random.Random(7)
    for number in range(times):
        killed, other = (begun(host, successor=successor) for host in ("dev1", "gateway"))
        time.sleep(dice.uniform(0.3, 3.0))
        on("dev1", "kill -KILL $(cat ~/pid-dev1) 2>/dev/null || :")
        killed[0].communicate(timeout=60)
        assert len(jobs()) <= at_most, number
        printed, errors = other[0].communicate(timeout=90)
        answer = other[1].answer(printed.decode())
        assert answer, errors
        assert not answer.get("failed"), answer
        yield number, answer


def cancelled(*numbers: str) -> None:
    """End these jobs, and wait until they have left the queue."""
    on("gateway", f"scancel {' '.join(numbers)}")
    nothing_left(lambda: set(numbers) & set(jobs()), "jobs")


def noted(name: str) -> str:
    """The number of the job in one of the profile's records."""
    found = on("dev1", f"cat ~/.ipython/profile_nbserver/job/{name}.json")
    return str(json.loads(found)["job"])


def ports(*hosts: str) -> str:
    """What the person listens on there, of ports."""
    table = "/proc/net/tcp /proc/net/tcp6"
    asked = f"awk -v who=$(id -u {USER}) '$4 == \"0A\" && $8 == who' {table}"
    return "".join(root(host, "sh", "-c", asked) for host in hosts)


def leads_there(said: str, port: int) -> None:
    """The printed command works when it is pasted, and our server shows itself at its end."""
    with starts.tunnel(starts.printed(r"^ +(ssh .*)$", said), port):
        starts.log_in(port, starts.printed(r"SHA-256 ([0-9A-F:]+)", said))

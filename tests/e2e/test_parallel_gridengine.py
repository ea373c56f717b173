"""The recipe's lines on a real Grid Engine, and what may go wrong there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from parallel import CLUSTER, Person, root
from waiting import PATIENCE, nothing_left

pytestmark = pytest.mark.timeout(400)

# Its commands have the names of Torque's: they have to come first.
WORK = """
import os
os.environ["PATH"] = "/opt/gridengine/bin:" + os.environ["PATH"]
from cluster_helper.cluster import cluster_view

def long_running_function(n):
    import os, signal, socket, time
    {meanwhile}
    time.sleep({seconds})
    return n * 2, socket.gethostname()

with cluster_view(scheduler="sge", queue="{queue}", num_jobs=5, retries=2,
                  extra_params={{"resources": "walltime={walltime};mem=64mb"}}) as view:
    {first}
    result = view.map(long_running_function, range({tasks}))
print(len(result), "results", sum(n for n, _ in result), *sorted({{host for _, host in result}}))
"""
ALL_RESULTS = "200 results 39800 c1 c2"
# The engine that gets this item dies as if its node had run out of memory; once.
DIES_ONCE = """
    if n == 50 and not os.path.exists("died"):
        open("died", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
"""


def work(
    *,
    walltime: str = "01:00:00",
    queue: str = "main",
    meanwhile: str = "",
    first: str = "",
    seconds: float = 0.1,
    tasks: int = 200,
) -> str:
    return WORK.format(
        walltime=walltime,
        queue=queue,
        meanwhile=meanwhile.strip(),
        first=first,
        seconds=seconds,
        tasks=tasks,
    )


@pytest.fixture(scope="module")
def person() -> Person:
    """An account that has what parallel work needs."""
    subprocess.run([*CLUSTER, "up"], check=True)
    subprocess.run([*CLUSTER, "gridengine"], check=True)
    subprocess.run([*CLUSTER, "reset", "leo"], check=True)
    leo = Person("leo")
    leo.prepare()
    return leo


@pytest.fixture
def leo(person: Person) -> Iterator[Person]:
    """Whatever happens: no job, no process and no file is left."""
    yield person
    nothing_left(jobs, "jobs")
    person.leaves_nothing()


def gridengine(command: str) -> str:
    """What one of its commands says to its manager."""
    return root("gateway", "sh", "-c", f"/opt/gridengine/bin/{command}").strip()


def jobs() -> str:
    """What is left in the queue, and why it is."""
    left = gridengine("qstat -u leo")
    return f"{left}\n{gridengine('qstat -j *')}" if left else ""


def test_the_lines_of_the_recipe_return_200_results_from_both_nodes(leo: Person) -> None:
    assert ALL_RESULTS in leo.program(work()).end()


@pytest.mark.fault("F76 engine dies, SGE")
def test_a_killed_engine_is_told_and_its_task_is_done_by_another(leo: Person) -> None:
    printed = leo.program(work(meanwhile=DIES_ONCE)).end()
    assert ALL_RESULTS in printed
    assert "is lost" in printed


@pytest.mark.fault("F76 rejected, SGE")
def test_a_refused_job_is_told_in_the_words_of_qsub(leo: Person) -> None:
    printed = leo.program(work(queue="nosuch")).end()
    assert "sge refused the job: Unable to run job: " in printed
    assert 'job requests unknown queue "nosuch"' in printed


@pytest.mark.fault("F76 held, SGE")
def test_a_held_job_is_told_at_once(leo: Person) -> None:
    leo.on("dev1", "echo -h > .sge_request")
    try:
        printed = leo.program(work()).end()
    finally:
        leo.on("dev1", "rm .sge_request")
    assert "the engines cannot start: Job is in hold state" in printed


# The scheduler's word about each engine comes while they run: nobody waits for the job's end.
KNOWN = """
    import time
    until = time.monotonic() + 40
    while len(view.cluster._supervisor.seen.tasks) < 5:
        assert time.monotonic() < until
        time.sleep(0.2)
"""
REQUEST = "-t 1-1 -N other -l h_rt=00:00:01 -sync y -q nosuch -b y -C other"


@pytest.mark.parametrize("qstat", ["-ext", "-xml", "-s p", "-u nobody"])
def test_the_persons_own_default_options_change_nothing_that_is_said(
    leo: Person, qstat: str
) -> None:
    leo.on("dev1", f"echo '{REQUEST}' > .sge_request; echo '{qstat}' > .sge_qstat")
    try:
        printed = leo.program(work(first=KNOWN.strip())).end()
    finally:
        leo.on("dev1", "rm .sge_request .sge_qstat")
    assert ALL_RESULTS in printed
    assert "is lost" not in printed


def test_a_disabled_queue_is_told_at_once(leo: Person) -> None:
    gridengine("qmod -d main")
    try:
        printed = leo.program(work()).end()
    finally:
        gridengine("qmod -e main")
    assert "dropped because it is disabled" in printed


@pytest.mark.fault("F76 down, SGE")
def test_a_scheduler_that_is_stopped_is_told_and_not_waited_for(leo: Person) -> None:
    gridengine("qconf -ke all -km")
    nothing_left(lambda: root("gateway", "pgrep", "-x", "sge_qmaster"), "sge_qmaster")
    try:
        printed = leo.program(work()).end()
    finally:
        subprocess.run([*CLUSTER, "gridengine"], check=True)
    assert "the engines cannot start: sge refused the job: " in printed
    assert "qmaster" in printed


def test_a_deleted_job_ends_the_wait_for_its_results(leo: Person) -> None:
    program = leo.program(work(first="print('working', flush=True)", seconds=PATIENCE))
    program.until("working")
    gridengine("qdel -u leo")
    assert "no engine is left" in program.end()


@pytest.mark.fault("F76 walltime, SGE")
def test_a_reached_walltime_is_told_as_the_reason(leo: Person) -> None:
    printed = leo.program(work(walltime="00:00:20", seconds=PATIENCE)).end()
    assert "is lost (job" in printed
    assert "no engine is left: its walltime of 00:00:20 was reached" in printed


def test_a_killed_notebook_leaves_nothing(leo: Person) -> None:
    program = leo.program(work(first="print('working', flush=True)", seconds=PATIENCE))
    program.until("working")
    program.signal("KILL")
    program.end()

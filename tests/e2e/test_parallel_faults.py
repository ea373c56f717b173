"""What goes wrong on a real cluster while people compute, and that nothing is left of it."""

from __future__ import annotations

import subprocess
import time

import pytest
from parallel import CLUSTER, PYTHON, Person, Program, root
from waiting import PATIENCE, eventually, nothing_left

pytestmark = pytest.mark.timeout(400)

# Two seconds of work for each of twenty: long enough to break something meanwhile.
WORK = """
from cluster_helper.cluster import cluster_view

def work(n):
    import socket, time
    time.sleep({seconds})
    return n, socket.gethostname()

with cluster_view({parameters}) as view:
    print("started", view.client.ids, flush=True)
    pending = view.map_async(work, range({tasks}))
    print("working", flush=True)
    result = pending.get()
    print("results", len(result), sorted(set(host for _n, host in result)), flush=True)
print("left", flush=True)
"""


@pytest.fixture(scope="module")
def frank(account: str) -> Person:
    """An account that has what parallel work needs."""
    assert account != "frank"
    subprocess.run([*CLUSTER, "reset", "frank"], check=True)
    person = Person("frank")
    person.prepare()
    repair()
    return person


def repair() -> None:
    """Whatever an earlier, interrupted run has broken."""
    root("gateway", "scontrol", "update", "nodename=c[1-2]", "state=resume")
    root("gateway", "scontrol", "update", "partitionname=main", "state=up")


def work(parameters: str, seconds: float = 0.2, tasks: int = 40) -> str:
    return WORK.format(parameters=parameters, seconds=seconds, tasks=tasks)


def ended_by(frank: Person, parameters: str) -> tuple[str, float]:
    """What a start that cannot succeed says, and after how long."""
    start = time.monotonic()
    printed = frank.program(work(parameters)).end()
    return printed, time.monotonic() - start


def kill_one_engine(frank: Person) -> None:
    """The youngest process of a job is the engine proper; its parent watches it."""
    kill = "pkill -KILL -n -u $USER -f cluster_helper[.]engine && echo killed"
    assert any("killed" in frank.on(host, kill) for host in ("c1", "c2"))


# An engine of three cores for each of the two nodes.
TWO = "2, cores_per_job=3, wait_for_all_engines=True"


@pytest.mark.parametrize("scheduler", ["slurm", "torque"])
def test_all_results_come_from_two_nodes_and_nothing_is_left(frank: Person, scheduler: str) -> None:
    resources = '{"resources": "walltime=01:00:00;account=ged-intel11;mem=64mb"}'
    program = work(f'"{scheduler}", "main", {TWO}, extra_params={resources}', 0.02, 200)
    printed = frank.program(program).end()
    assert "2 of 2 engines" in printed
    assert "results 200 ['c1', 'c2']" in printed
    frank.leaves_nothing()


VARIABLES = """
import os
os.environ.update(SBATCH_TIMELIMIT="5", SBATCH_PARTITION="nosuch", SBATCH_JOB_NAME="other",
                  SBATCH_ARRAY_INX="1-1", SBATCH_MEM_PER_CPU="1", SBATCH_ACCOUNT="nosuch")
"""
SHOW = "print('started', os.popen(\"squeue --me -h -o '%l %j %P'\").read().split())"


@pytest.mark.parametrize("scheduler", ["slurm", "torque"])
def test_what_a_call_says_wins_over_variables_of_slurm(frank: Person, scheduler: str) -> None:
    resources = '{"resources": "walltime=01:00:00;account=ged-intel11;mem=64mb"}'
    program = work(f'"{scheduler}", "main", {TWO}, extra_params={resources}')
    shown = program.replace('print("started"', f'{SHOW}\n    print("started"')
    printed = frank.program(VARIABLES + shown).end()
    assert "2 of 2 engines" in printed
    assert f"started {['1:00:00', 'engines', 'main'] * 2}" in printed
    assert "results 40" in printed
    frank.leaves_nothing()


@pytest.mark.fault("F76 engine dies")
@pytest.mark.threat(24)
def test_a_killed_engine_is_told_its_task_is_done_by_another_and_nobody_listens(
    frank: Person,
) -> None:
    program = frank.program(work(f'"slurm", "main", {TWO}, retries=2', 1, 16))
    program.until("working")
    kill_one_engine(frank)
    nobody_else_reads_or_reaches_anything(frank)
    printed = program.end()
    assert "results 16" in printed
    assert "is lost (job" in printed
    frank.leaves_nothing()


def nobody_else_reads_or_reaches_anything(frank: Person) -> None:
    wide = "find ~/.ipython/cluster_helper -perm /077 \\( -type d -o -path '*/security/*' \\)"
    assert frank.on("dev1", wide) == ""
    assert len(frank.on("dev1", "ls ~/.ipython/cluster_helper/*/security").split()) == 3
    own = frank.on("dev1", "hostname -i").split()[0]
    ports = frank.on("dev1", "ss -Hltnp | grep python | awk '{print $4}'").split()
    assert any(port.startswith(f"{own}:") for port in ports), ports
    assert all(port.startswith((f"{own}:", "127.0.0.1:")) for port in ports), ports


def test_a_drained_node_takes_no_part_and_the_rest_goes_on(frank: Person) -> None:
    root("gateway", "scontrol", "update", "nodename=c1", "state=drain", "reason=test")
    try:
        printed = frank.program(work('"slurm", "main", 2, cores_per_job=3')).end()
    finally:
        root("gateway", "scontrol", "update", "nodename=c1", "state=resume")
    assert "results 40 ['c2']" in printed
    frank.leaves_nothing()


@pytest.mark.fault("F76 walltime")
def test_a_reached_walltime_is_told_as_the_reason(frank: Person) -> None:
    limit = '{"resources": "walltime=00:00:01"}'  # Slurm knows minutes only
    program = frank.program(work(f'"slurm", "main", 1, extra_params={limit}', 600, 2))
    printed = program.end()
    assert "is lost (job" in printed
    assert "no engine is left: TIMEOUT" in printed
    frank.leaves_nothing()


@pytest.mark.fault("F76 rejected")
@pytest.mark.parametrize("scheduler", ["slurm", "torque"])
def test_a_refused_job_is_told_in_the_schedulers_own_words(frank: Person, scheduler: str) -> None:
    printed, seconds = ended_by(frank, f'"{scheduler}", "nosuch", 5')
    assert "refused the job: " in printed
    assert "invalid partition specified: nosuch" in printed
    assert seconds < PATIENCE
    frank.leaves_nothing()


def test_a_queue_that_is_down_is_told_at_once(frank: Person) -> None:
    root("gateway", "scontrol", "update", "partitionname=main", "state=down")
    try:
        printed, seconds = ended_by(frank, '"slurm", "main", 2')
    finally:
        root("gateway", "scontrol", "update", "partitionname=main", "state=up")
    assert "the engines cannot start: PartitionDown" in printed
    assert seconds < PATIENCE
    frank.leaves_nothing()


@pytest.mark.fault("F76 held")
def test_a_held_job_is_told_at_once(frank: Person) -> None:
    root("gateway", "scontrol", "update", "nodename=c[1-2]", "state=drain", "reason=test")
    try:
        program = frank.program(work('"slurm", "main", 2'))
        eventually(lambda: bool(frank.jobs()), "a job that waits")
        root("gateway", "scontrol", "hold", *{job.split("_")[0] for job in frank.jobs()})
        printed = program.end()
    finally:
        root("gateway", "scontrol", "update", "nodename=c[1-2]", "state=resume")
    assert "the engines cannot start: JobHeld" in printed
    frank.leaves_nothing()


@pytest.mark.fault("F76 down")
def test_a_scheduler_that_is_stopped_is_told_and_not_waited_for(frank: Person) -> None:
    root("gateway", "pkill", "-x", "slurmctld")
    try:
        printed, seconds = ended_by(frank, '"slurm", "main", 2')
    finally:
        root("gateway", "slurmctld")
    assert "the engines cannot start: slurm" in printed
    assert seconds < PATIENCE
    frank.leaves_nothing()


def test_work_goes_on_without_the_scheduler_and_ends_clean_when_it_is_back(frank: Person) -> None:
    program = frank.program(work('"slurm", "main", 1', 0.5, 20))
    program.until("working")
    root("gateway", "pkill", "-x", "slurmctld")
    try:
        program.until("results 20")
    finally:
        root("gateway", "slurmctld")
    program.end()
    frank.leaves_nothing()


def test_a_dead_controller_ends_the_work_with_a_word(frank: Person) -> None:
    program = frank.program(work('"slurm", "main", 1', 600, 2))
    program.until("working")
    frank.on("dev1", "pkill -KILL -u $USER -o -f cluster_helper[.]controller")
    assert "the controller has died" in program.end()
    frank.leaves_nothing()


@pytest.mark.fault("F76 no job is left")
@pytest.mark.parametrize("signal", ["KILL", "INT", "HUP"])
def test_a_killed_notebook_leaves_nothing(frank: Person, signal: str) -> None:
    program = frank.program(work('"slurm", "main", 2', 600, 6))
    program.until("working")
    program.signal(signal)
    program.end()
    frank.leaves_nothing()


def test_ctrl_c_while_the_job_waits_leaves_nothing(frank: Person) -> None:
    root("gateway", "scontrol", "update", "nodename=c[1-2]", "state=drain", "reason=test")
    try:
        program = frank.program(work('"slurm", "main", 2'))
        eventually(lambda: len(frank.jobs()) == 2, "a job that waits")
        program.signal("INT")
        assert "KeyboardInterrupt" in program.end()
        frank.leaves_nothing()
    finally:
        root("gateway", "scontrol", "update", "nodename=c[1-2]", "state=resume")


def test_more_cores_than_any_node_has_are_refused_and_not_waited_for(frank: Person) -> None:
    printed, seconds = ended_by(frank, '"slurm", "main", 1, cores_per_job=64')
    assert "the engines cannot start: PartitionConfig" in printed
    assert seconds < PATIENCE
    frank.leaves_nothing()


def test_a_program_that_is_a_job_itself_gets_engines_of_its_own(frank: Person) -> None:
    text = work('"slurm", "main", 2', 0.1, 10)
    write = f"cat > nested.py <<'END'\n{text}\nEND\n"
    submit = f"sbatch --wait --output=nested.out --wrap='{PYTHON} nested.py'; cat nested.out"
    assert "results 10" in frank.on("dev1", write + submit)
    frank.leaves_nothing()


def kill_notebook_and_supervisor(frank: Person, program: Program) -> None:
    frank.on("dev1", "pkill -KILL -u $USER -f 'cluster_helper[.]supervisor|[p]rogram-'")
    program.end()


def test_engines_end_even_when_notebook_and_supervisor_are_killed_at_once(frank: Person) -> None:
    program = frank.program(work('"slurm", "main", 2', 600, 6))
    program.until("working")
    kill_notebook_and_supervisor(frank, program)
    frank.leaves_no_job()
    nothing_left(frank.processes, "processes")
    printed = frank.program(work('"slurm", "main", 1', 0.1, 2)).end()
    assert "Removed what an interrupted cluster had left (job " in printed
    frank.leaves_nothing()


@pytest.mark.fault("F76 not even later")
def test_a_waiting_job_of_killed_notebook_and_supervisor_is_cancelled_by_the_next_cluster(
    frank: Person,
) -> None:
    root("gateway", "scontrol", "update", "nodename=c[1-2]", "state=drain", "reason=test")
    try:
        program = frank.program(work('"slurm", "main", 2'))
        eventually(lambda: len(frank.jobs()) == 2, "a job that waits")
        kill_notebook_and_supervisor(frank, program)
        assert len(frank.jobs()) == 2
        local = 'extra_params={"run_local": True}'
        printed = frank.program(work(local, 0.1, 2)).end()
        assert frank.jobs() == []
    finally:
        root("gateway", "scontrol", "update", "nodename=c[1-2]", "state=resume")
    assert "Removed what an interrupted cluster had left (job " in printed
    assert "results 2" in printed
    frank.leaves_nothing()

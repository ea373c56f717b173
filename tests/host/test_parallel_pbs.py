"""The whole of `cluster_view` through OpenPBS and Torque as they were recorded.

OpenPBS keeps no history of ended jobs as it is installed; both ways are tried.
"""

from __future__ import annotations

import os
import signal
import time

import pytest
from local_sessions import Session
from pbs_server import Server

pytestmark = pytest.mark.timeout(300)

BEGIN = """
import os, time
from cluster_helper import engine_monitor
from cluster_helper.cluster import cluster_view
engine_monitor._BEREFT = {bereft}
print("begins", flush=True)
with cluster_view({parameters}) as view:
"""
FLAVOURS = {
    "openpbs": {"flavour": "openpbs"},
    "openpbs with history": {"flavour": "openpbs", "history": True},
    "torque": {"flavour": "torque"},
}
SLEEP = """
    print("working", flush=True)
    view.map(lambda n: __import__("time").sleep(600), range({calls}))
"""


@pytest.fixture(params=FLAVOURS)
def server(request, tmp_path):
    made = Server(home=tmp_path, **FLAVOURS[request.param])
    yield made
    made.close()


@pytest.fixture
def openpbs(tmp_path):
    made = Server(home=tmp_path, flavour="openpbs")
    yield made
    made.close()


@pytest.fixture
def torque(tmp_path):
    made = Server(home=tmp_path, flavour="torque")
    yield made
    made.close()


def begin(server, text, engines=2, walltime="01:00:00", bereft=60, **options):
    """A person's program, with this server in PATH."""
    settings = server.home / ".config" / "cluster_helper.ini"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("[cluster]\naddress = 127.0.0.1\n", encoding="utf-8")
    scheduler = "pbspro" if server.flavour == "openpbs" else "torque"
    words = {"scheduler": scheduler, "num_jobs": engines, "extra_params":
             {"resources": f"walltime={walltime}"}, **options}  # fmt: skip
    parameters = ", ".join(f"{name}={value!r}" for name, value in words.items())
    return Session(server.home, text, begin=BEGIN.format(parameters=parameters, bereft=bereft),
                   PATH=f"{server.bin}:/usr/bin:/bin")  # fmt: skip


def ended_after(session):
    """Seconds since the program began its work in vain."""
    session.until("begins")
    start = time.monotonic()
    session.end()
    return time.monotonic() - start


def test_work_is_done_and_nothing_is_left(server):
    session = begin(server, "print(sum(view.map(lambda n: 2 * n, range(50))))",
                    wait_for_all_engines=True)  # fmt: skip
    printed = session.end()
    assert "2 of 2 engines" in printed
    assert printed.endswith("2450\n")
    assert "is left" not in printed
    session.leaves_nothing()


def test_one_engine_is_no_array_everywhere(server):
    server.first = 4711
    assert begin(server, "print(view.apply(lambda: 'computed'))", 1).end().endswith("computed\n")


def test_a_refused_job_is_told_in_the_servers_words(server):
    session = begin(server, "pass", queue="nosuch")
    assert session.end().splitlines()[-1].endswith("refused the job: qsub: Unknown queue")
    session.leaves_nothing()


def test_a_job_that_can_never_run_ends_the_start_within_seconds(server):
    server.slots = 0
    server.comment = (
        "Can Never Run: Insufficient amount of resource: mem (R: 900gb A: 24105mb T: 24105mb)"
    )
    session = begin(server, "pass")
    assert ended_after(session) < 30
    assert session.printed.splitlines()[-1].endswith(f"cannot start: {server.comment}")
    assert "qdel" in server.asked
    session.leaves_nothing()


def test_a_held_job_ends_the_start_in_words_that_are_true(server):
    server.hold, server.comment = "u", "Not Running: Queue not started."
    said = {"openpbs": "Job held by ann on", "torque": "the job is held (Hold_Types = u)"}
    session = begin(server, "pass")
    assert ended_after(session) < 30
    assert f"the engines cannot start: {said[server.flavour]}" in session.printed
    session.leaves_nothing()


@pytest.mark.parametrize("comment", [
    "Not Running: User has reached the job limit of this queue's account holder",
    "Not Running: job would exceed threshold of the shareholder's queue",
    "Not Running: Job held back until node of uphold7 can never run dry does not exist",
])  # fmt: skip
def test_a_waiting_job_waits_whatever_words_are_inside_its_comment(openpbs, comment):
    openpbs.slots, openpbs.comment = 0, comment
    session = begin(openpbs, "pass", start_wait=0.1)
    assert ended_after(session) > 5
    assert session.printed.splitlines()[-1].endswith(
        f"not enough engines within 0.1 minutes: {comment}"
    )
    session.leaves_nothing()


def test_members_that_wait_beside_others_have_their_own_reason_or_none(openpbs):
    openpbs.slots = 1
    session = begin(openpbs, "time.sleep(2); print(view.cluster._supervisor.seen.tasks)", 3)
    printed = session.end()
    assert printed.count("state='waiting', reason=''") == 2
    session.leaves_nothing()


def test_the_task_of_a_lost_engine_is_done_by_another(server):
    session = begin(server, """
        def f(n):
            import os, time
            if n == 7 and not os.path.exists("died"):
                open("died", "w").close()
                os.kill(os.getpid(), 9)
            time.sleep(0.2)
            return n
        print(view.map(f, range(20)) == list(range(20)))
    """, retries=2, wait_for_all_engines=True)  # fmt: skip
    printed = session.end()
    assert printed.endswith("True\n")
    session.leaves_nothing()


def test_work_ends_with_its_reason_when_the_walltime_is_reached(server):
    session = begin(server, SLEEP.format(calls=2), walltime="00:00:08", wait_for_all_engines=True)
    printed = session.end()
    assert "working" in printed
    assert "is lost (job" in printed
    last = printed.splitlines()[-1]
    assert "no engine is left: its walltime " in last
    assert last.rstrip(".").endswith("was reached")
    assert "\nJob " not in printed, "no job is left"
    session.leaves_nothing()


def test_a_job_that_ended_before_anybody_asked_is_an_end(server):
    server.keeps = 0
    session = begin(server, "pass")
    session.until("begins")
    deadline = time.monotonic() + 60
    while not server.members and time.monotonic() < deadline:
        time.sleep(0.01)
    server.qdel([])
    session.end()
    assert "the engines cannot start: " in session.printed
    session.leaves_nothing()


def test_a_new_job_that_the_server_does_not_know_yet_is_no_end(torque):
    torque.late, torque.slots = 4, 0
    session = begin(torque, "print(view.apply(lambda: 'computed'))", 1)
    session.until("begins")
    deadline = time.monotonic() + 60
    while torque.asked.count("qstat") < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    torque.slots = 1
    assert session.end().endswith("computed\n")
    session.leaves_nothing()


def test_stop_is_fast_and_says_nothing_that_is_not_true(server):
    session = begin(server, """
        start = time.monotonic()
        view.cluster.stop()
        print("stopped after", round(time.monotonic() - start, 1))
    """)  # fmt: skip
    printed = session.end()
    assert float(printed.split()[-1]) < 10
    assert "is left" not in printed
    assert server.deleted
    session.leaves_nothing()


def test_stop_is_fast_although_somebody_else_has_deleted_the_job(server):
    session = begin(server, """
        print("working", flush=True)
        time.sleep(3)
        start = time.monotonic()
        view.cluster.stop()
        print("stopped after", round(time.monotonic() - start, 1))
    """)  # fmt: skip
    session.until("working")
    server.qdel([])
    printed = session.end()
    assert float(printed.split()[-1]) < 10
    assert "Job " not in printed
    session.leaves_nothing()


def test_a_server_that_is_down_refuses_the_job_in_its_words(server):
    server.down = True
    session = begin(server, "pass")
    assert ended_after(session) < 30
    assert f"cannot connect to server {server.name} (errno=15010)" in session.printed
    session.leaves_nothing()


def test_work_goes_on_while_the_server_is_down_and_the_job_that_is_left_is_named(openpbs):
    session = begin(openpbs, """
        print("working", flush=True)
        time.sleep(2)
        print(view.map(abs, [-1]), flush=True)
    """)  # fmt: skip
    session.until("working")
    openpbs.down = True
    printed = session.end()
    assert "[1]\n" in printed
    assert "Job 0[] is left: " in printed
    session.leaves_nothing()


@pytest.mark.parametrize(
    "trouble",
    [
        {"down": True}, {"silent": ("qstat",)}, {"wrong": ""}, {"wrong": "<html>busy</html>\n"},
        {"wrong": "Job Id: 0[].pbs\n    job_state = B\n"},
    ],
    ids=["down", "silent", "empty", "wrong", "only the array"],
)  # fmt: skip
def test_nothing_hangs_when_engines_are_lost_and_the_server_says_nothing(openpbs, trouble):
    session = begin(openpbs, SLEEP.format(calls=2), bereft=3)
    session.until("working")
    for name, value in trouble.items():
        setattr(openpbs, name, value)
    start = time.monotonic()
    with openpbs.lock:
        for member in openpbs.members.values():
            os.killpg(member.process.pid, signal.SIGKILL)
    printed = session.end()
    assert "no engine is left: " in printed.splitlines()[-1]
    assert time.monotonic() - start < 60
    session.leaves_nothing()


def test_a_server_that_calls_lost_engines_running_is_not_believed_for_ever(openpbs):
    session = begin(openpbs, SLEEP.format(calls=1), 1, bereft=3)
    session.until("working")
    openpbs.wrong = "Job Id: 0.pbs\n    job_state = R\n"
    os.killpg(openpbs.members[1].process.pid, signal.SIGKILL)
    assert "no engine is left: they have ended, whatever the scheduler says" in session.end()
    session.leaves_nothing()


def test_a_server_that_takes_half_a_minute_for_each_answer_is_waited_for(torque):
    torque.delay = 30
    session = begin(torque, "print(view.map(abs, [-1, -2]))", 1)
    session.until("[1, 2]")
    start = time.monotonic()
    printed = session.end()
    assert time.monotonic() - start < 60
    assert "is left" not in printed
    session.leaves_nothing()


def test_ctrl_c_is_heard_while_a_server_never_answers(torque):
    torque.slots, torque.silent = 0, ("qstat",)
    session = begin(torque, "pass")
    session.until("begins")
    deadline = time.monotonic() + 60
    while "qstat" not in torque.asked and time.monotonic() < deadline:
        time.sleep(0.05)
    start = time.monotonic()
    session.process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in session.end()
    assert time.monotonic() - start < 30
    session.leaves_nothing()
    assert torque.deleted

"""The notebook as a job: which job counts, what is said of it, and what it is granted."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges.processes import Completed
from ansible_collections.hpcc.notebook.plugins.module_utils._job import entrance, submission
from ansible_collections.hpcc.notebook.plugins.module_utils._job.margin import margin
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import End, Submission
from ansible_collections.hpcc.notebook.plugins.module_utils._job.supervisor import granted
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import (
    Known,
    View,
    chosen,
    seen,
    strays,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import (
    announcement,
    neighbours,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import table as server_table
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import tunnel
from server_answers import DEV, JOB, SERVER

NOW = 1784367000.0  # 2026-07-18T09:30:00Z
LAYOUT = Layout("/home/ann", "nbserver", "dev1", 1001)
SUBMITTED = Submission(
    name="nbserver-75b744",
    mark="b9020ae2be1a46b2",
    scheduler="slurm",
    job="5",
    submitted="2026-07-18T09:20:00Z",
    walltime=28800,
    clock="08:00:00",
    asked="cores 1, walltime 08:00:00",
    frontend="lab",
    modules=["gcc"],
    threads=1,
    idle=0,
    environments=False,
    timeout=60,
    origin="dev1.x.edu",
    relay="/tmp/nbserver-1001/job.sock",
    mem=0,
    turn=0,
    resources="walltime=08:00:00",
    queue="",
)
SENDING = replace(SUBMITTED, job="")
HELD = "it is held until somebody releases it (JobHeldUser)"
SIGNALLED = End("m", "the scheduler ended the job (SIGTERM)", "")
SUSPENDED = Known("5", "running", "SUSPENDED", node="c1", stalled="SUSPENDED")
RUNS, WAITS = Known("5", "running", node="c1"), Known("5", "waiting", "Priority")


def test_a_record_is_read_as_it_was_written() -> None:
    assert submission.parse(submission.serialise(SUBMITTED), "x") == SUBMITTED
    end = End("m", "walltime of 08:00:00 reached", "2026-07-18T17:19:00Z")
    assert submission.parse_end(submission.serialise(end), "x") == end


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": 2},
        {"schema": True},
        {"walltime": "28800"},
        {"modules": [1]},
        {"modules": "gcc"},
        {"frontend": "nosuch"},
        {"more": 1},
    ],
)
def test_a_record_that_nobody_wrote_so_is_refused_in_one_line(changed: dict[str, object]) -> None:
    content = json.dumps({"schema": 1, **asdict(SUBMITTED), **changed}).encode()
    with pytest.raises(NotebookError, match=r"^/p/submission.json: it was changed by hand"):
        submission.parse(content, "/p/submission.json")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b'{"schema": 1}'])
def test_no_content_ends_in_another_error(content: bytes) -> None:
    with pytest.raises(NotebookError):
        submission.parse(content, "x")


def test_the_name_fits_every_scheduler_and_is_this_profiles_alone() -> None:
    name = submission.job_name(LAYOUT)
    assert len(name) == 15
    assert name.startswith("nbserver-")
    others = (replace(LAYOUT, uid=1002), replace(LAYOUT, name="other"), replace(LAYOUT, home="/h"))
    assert name not in {submission.job_name(other) for other in others}
    assert name == submission.job_name(replace(LAYOUT, host="dev2")), "each node computes the same"


@pytest.mark.parametrize(
    ("jobs", "submitted", "job"),
    [
        ([], None, None),
        ([RUNS], SUBMITTED, "5"),
        ([RUNS, Known("6", "waiting")], SUBMITTED, "5"),
        ([Known("6", "waiting")], SUBMITTED, None),
        ([Known("4", "ended"), Known("6", "waiting")], SENDING, "6"),
        ([Known("9", "running"), Known("10", "waiting")], SENDING, "10"),
        ([Known("4", "ended")], SENDING, "4"),
        ([RUNS], None, None),
    ],
)
def test_the_recorded_job_counts_and_without_an_id_the_last_one_of_the_name(
    jobs: list[Known], submitted: Submission | None, job: str | None
) -> None:
    found = chosen(jobs, submitted)
    assert (found.job if found else None) == job
    left = {each.job for each in jobs if each.alive} - {job}
    assert {each.job for each in strays(jobs, found)} == left


NEXT = replace(SUBMITTED, mark="c" * 16, job="6")
FOLLOWS = Known("6", "waiting", "Dependency")
OVER = Known("5", "ended", "TIMEOUT")


@pytest.mark.parametrize(
    ("jobs", "submitted", "queued", "job", "successor", "stray"),
    [
        ([RUNS, FOLLOWS], SUBMITTED, NEXT, "5", "6", []),
        ([FOLLOWS, RUNS], SUBMITTED, replace(NEXT, job=""), "5", "6", []),
        ([FOLLOWS, RUNS], SENDING, NEXT, "5", "6", []),
        ([RUNS, FOLLOWS], SUBMITTED, None, "5", None, ["6"]),
        ([RUNS, FOLLOWS, Known("7", "waiting")], SUBMITTED, NEXT, "5", "6", ["7"]),
        ([RUNS, replace(FOLLOWS, state="failed", held=True)], SUBMITTED, NEXT, "5", "6", []),
        ([RUNS], SUBMITTED, NEXT, "5", None, []),
        ([RUNS, Known("6", "ended")], SUBMITTED, NEXT, "5", None, []),
        ([OVER, FOLLOWS], SUBMITTED, NEXT, "6", None, []),
        ([FOLLOWS], SUBMITTED, NEXT, "6", None, []),
        ([OVER, Known("6", "running")], SUBMITTED, NEXT, "6", None, []),
        ([OVER, FOLLOWS], SUBMITTED, replace(NEXT, job=""), "6", None, []),
        ([OVER], SUBMITTED, NEXT, "5", None, []),
        ([FOLLOWS], None, NEXT, "6", None, []),
        ([], SUBMITTED, NEXT, None, None, []),
    ],
)
def test_a_successor_is_none_of_the_strays_and_the_job_itself_once_the_other_is_gone(
    jobs: list[Known],
    submitted: Submission | None,
    queued: Submission | None,
    job: str | None,
    successor: str | None,
    stray: list[str],
) -> None:
    view = seen(jobs, submitted, queued)
    assert (view.known.job if view.known else None) == job
    assert (view.successor.known.job if view.successor else None) == successor
    assert [each.job for each in view.strays] == stray
    if view.known and view.submission and view.submission.job:
        assert view.submission.job == view.known.job, "each has the record of its own"


def test_a_successor_is_told_beneath_its_job() -> None:
    follows = {"successor": "6", "successor_reason": "Dependency"}
    _job, told = server_table.of_jobs([{**JOB, **follows}], NOW)
    assert told == "Job 6 waits in the queue (Dependency): it begins when job 5 has ended"
    assert server_table.following({**JOB, "successor": "6", "successor_reason": ""}) == [
        "Job 6 waits in the queue: it begins when job 5 has ended"
    ]
    server = {**JOB, **follows, "version": "JupyterLab 4.6.6"}
    assert f"{told}." in announcement.announcement(server)
    waiting = {**server, "state": "waiting", "reason": "would be joined", "job": "5"}
    assert f"{told}." in announcement.announcement(waiting)
    predicted = {**waiting, "successor": "", "successor_reason": "would be submitted"}
    assert "Its successor would be submitted." in announcement.announcement(predicted)


@pytest.mark.parametrize(
    ("view", "state", "reason"),
    [
        (View(), "stopped", ""),
        (View(SUBMITTED, WAITS), "waiting", "Priority"),
        (View(SUBMITTED, Known("5", "failed", "JobHeldUser", held=True)), "waiting", HELD),
        (View(SUBMITTED, RUNS), "starting", ""),
        (View(SUBMITTED, RUNS, server=SERVER), "started", ""),
        (View(SUBMITTED, RUNS, End("m", "x", ""), SERVER), "stopped", "ended: x"),
        (
            View(SUBMITTED, Known("5", "ended", "NODE_FAIL")),
            "stopped",
            "ended: its node failed (NODE_FAIL)",
        ),
        (
            View(SUBMITTED, Known("5", "ended", "CANCELLED"), SIGNALLED),
            "stopped",
            "ended: somebody cancelled it (CANCELLED)",
        ),
        (
            View(SUBMITTED, Known("5", "ended", "PREEMPTED"), SIGNALLED),
            "stopped",
            "ended: another job was preferred (PREEMPTED)",
        ),
        (
            View(SUBMITTED, Known("5", "ended", "CANCELLED"), End("m", "asked for", "")),
            "stopped",
            "ended: asked for",
        ),
        (View(SUBMITTED, None, SIGNALLED), "stopped", f"ended: {SIGNALLED.reason}"),
        (View(SUBMITTED, Known("5", "running", node="c2"), SIGNALLED), "stopped", None),
        (
            View(SUBMITTED, Known("5", "waiting", "BeginTime"), SIGNALLED),
            "waiting",
            "it was put back into the queue (BeginTime)",
        ),
        (
            View(SUBMITTED, Known("5", "failed", "JobHeldUser", held=True), SIGNALLED),
            "waiting",
            f"it was put back into the queue ({HELD})",
        ),
        (View(SUBMITTED), "stopped", "the scheduler does not know the job any more"),
    ],
)
def test_each_look_has_one_word_and_a_reason(view: View, state: str, reason: str | None) -> None:
    assert view.state == state
    assert reason is None or view.reason == reason


@pytest.mark.parametrize(
    ("begun", "now", "former"),
    [
        (NOW + 60, NOW + 61, True),
        (NOW + 60, NOW + 200, False),  # by then the job has removed what it found
        (NOW + 3, NOW + 4, False),  # clocks differ
        (NOW - 60, NOW + 1, False),
        (0.0, NOW, False),  # the scheduler does not say
    ],
)
def test_what_a_former_run_has_left_is_not_believed_until_the_job_has_removed_it(
    begun: float, now: float, former: bool
) -> None:
    known = Known("5", "running", begun=begun)
    assert known.ran_before("2026-07-18T09:30:00Z", now) == former
    assert not known.ran_before("some day", now)


def test_only_what_nobody_can_let_go_is_hopeless() -> None:
    assert View(SUBMITTED, Known("5", "failed", "PartitionTimeLimit")).hopeless
    assert not View(SUBMITTED, Known("5", "failed", "JobHeldUser", held=True)).hopeless
    assert not View(SUBMITTED, WAITS).hopeless


@pytest.mark.parametrize(
    ("walltime", "seconds"), [(28800, 60.0), (360, 60.0), (180, 30.0), (60, 10.0)]
)
def test_an_orderly_end_has_a_minute_or_a_sixth(walltime: int, seconds: float) -> None:
    assert margin(walltime) == seconds


def test_kernels_learn_what_was_granted_and_nothing_else_of_a_jobs_environment() -> None:
    own = {"SLURM_JOB_ID": "5", "CUDA_VISIBLE_DEVICES": "2", "TMPDIR": "/tmp/5", "NSLOTS": "4"}
    other = {
        "PYTHONPATH": "/x",
        "LD_PRELOAD": "/x.so",
        "JUPYTER_TOKEN": "t",
        "PATH": "/x",
        "HOME": "/",
    }
    assert granted({**own, **other}) == own


USES: dict[str, object] = {
    "kernels": 2,
    "memory": 600 << 20,
    "memory_used": 700 << 20,
    "memory_limit": 800 << 20,
    "near": ["700 MB of the 800 MB are used"],
}


def test_the_table_shows_what_a_job_has_noted_of_its_server() -> None:
    server = {**JOB, "seen": False, "version": "JupyterLab 4.6.6"}
    job = {**JOB, **USES, "measured": "2026-07-18T09:29:30Z"}
    (_dev1, row) = server_table.rows({"dev1": {"servers": [server]}}, {"dev1": {}}, [job])
    (_head, line) = server_table.table([row], NOW)
    assert line.split()[:2] == ["c1", "running"]
    assert "  2        -          700 of 800 MB" in line
    other = {**job, "job": "6"}
    (_dev1, row) = server_table.rows({"dev1": {"servers": [server]}}, {"dev1": {}}, [other])
    assert row["state"] == server_table.OVER
    assert "memory" not in row


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {},
            "Job 5 on c1 (cores 1, walltime 08:00:00): 7 h 50 min left, until 2026-07-18T17:20:00Z",
        ),
        (
            {"state": "waiting", "reason": "Priority", "expected": "2026-07-18T12:00:00"},
            "Job 5 waits in the queue: Priority; expected to start at 2026-07-18T12:00:00 "
            "(cores 1, walltime 08:00:00)",
        ),
        ({"state": "starting"}, "Job 5 runs on c1; its server starts"),
        (
            {"stalled": SUSPENDED.standstill},
            "Job 5 on c1 (cores 1, walltime 08:00:00): 7 h 50 min left, "
            "until 2026-07-18T17:20:00Z; it is suspended (SUSPENDED): "
            "the page does not answer until the scheduler goes on with it",
        ),
        (
            {"state": "starting", "stalled": SUSPENDED.standstill},
            "Job 5 runs on c1; it is suspended (SUSPENDED): "
            "the page does not answer until the scheduler goes on with it",
        ),
        (
            {"state": "starting", "stalled": Known("5", "running", stalled="UNKWN").standstill},
            "Job 5 runs on c1; its node does not answer the scheduler (UNKWN): "
            "the page may not, either",
        ),
        (
            {**USES, "measured": "2026-07-18T09:29:30Z"},
            "Job 5 on c1 (cores 1, walltime 08:00:00): 7 h 50 min left, "
            "until 2026-07-18T17:20:00Z; "
            "memory: 700 of 800 MB; 700 MB of the 800 MB are used",
        ),
        (
            {**USES, "measured": "2026-07-18T09:20:00Z", "near": [], "memory_limit": 0},
            "Job 5 on c1 (cores 1, walltime 08:00:00): 7 h 50 min left, "
            "until 2026-07-18T17:20:00Z; "
            "memory: 600 MB (10 min ago)",
        ),
        ({**USES, "measured": "x", "near": "\x1b[2J", "memory_used": None}, None),
        (
            {"state": "stopped", "reason": "ended: walltime of 08:00:00 reached"},
            "Job 5 ended: walltime of 08:00:00 reached (cores 1, walltime 08:00:00)",
        ),
        ({"state": "waiting", "reason": "\x1b[2J"}, None),
    ],
)
def test_a_line_tells_what_a_job_does(changed: dict[str, object], line: str | None) -> None:
    (told,) = server_table.of_jobs([{**JOB, **changed}], NOW)
    assert told.isprintable()
    assert line is None or told == line


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ("2026-07-18T09:30:30Z", "less than a minute left, until 2026-07-18T09:30:30Z"),
        ("2026-07-18T09:45:00Z", "15 min left, until 2026-07-18T09:45:00Z"),
        ("2026-07-19T10:31:00Z", "25 h 1 min left, until 2026-07-19T10:31:00Z"),
        ("2026-07-18T09:29:59Z", "its walltime is over"),
        ("soon", "its end is not known"),
    ],
)
def test_the_time_left_is_said_as_people_say_it(ends: str, told: str) -> None:
    assert server_table.time_left(ends, NOW) == told


RELAYED = {"relay": "dev1", "socket": "/tmp/nbserver-1001/job.sock"}


def test_a_relay_that_no_inventory_names_lies_beside_the_node_that_was_asked() -> None:
    found = neighbours.host_of({"dev1": DEV}, {**JOB, **RELAYED, "relay": "dev9"}, "dev1")
    assert (found["ansible_host"], found["ansible_ssh_common_args"]) == ("dev9", "-J gw")


def test_from_the_cluster_itself_a_relay_is_logged_in_to_by_its_name() -> None:
    server = {**JOB, **RELAYED, "transport": "socket", "user": "ann"}
    command = tunnel.tunnel_command(server, {"ansible_connection": "local"}, None)
    assert command.endswith("-L 127.0.0.1:8888:/tmp/nbserver-1001/job.sock ann@dev1")


SEEN = Completed(("ssh",), 0, "", "")


@pytest.mark.parametrize(
    ("done", "root"),
    [
        (replace(SEEN, stdout="seen /tmp/nbserver-1001\n"), ""),
        (replace(SEEN, stdout="motd\nseen /proc/7/root/tmp/nbserver-1001\n"), "/proc/7/root"),
    ],
)
def test_a_login_on_the_compute_node_tells_where_it_sees_the_job(
    done: Completed, root: str
) -> None:
    assert entrance.seen_from(done, "c1", LAYOUT.local) == root


@pytest.mark.parametrize(
    ("done", "why"),
    [
        (replace(SEEN, stdout="nowhere\n"), "a login there does not see the files of the job"),
        (replace(SEEN, stdout="seen /elsewhere\n"), "does not see the files"),
        (replace(SEEN, code=255, stderr="x\nann@c1: Permission denied (publickey).\n"), "denied"),
        (replace(SEEN, code=255, stderr="Connection refused\x1b[2J\n"), "Connection refused"),
        (replace(SEEN, code=255), "it ended with 255"),
    ],
)
def test_a_login_that_leads_nowhere_is_told_in_its_own_words(done: Completed, why: str) -> None:
    with pytest.raises(NotebookError, match=why) as told:
        entrance.seen_from(done, "c1", LAYOUT.local)
    assert str(told.value).isprintable()


def test_a_job_that_serves_is_announced_with_the_time_that_is_left() -> None:
    server = {**JOB, "version": "JupyterLab 4.6.6", "certificate_sha256": "3F:A2", "socket": "/s"}
    lines = announcement.announcement(server, "ssh x", 8888)
    assert lines[0].startswith("Notebook server on c1 is running (job 5, JupyterLab 4.6.6); ")
    assert "    ssh x" in lines
    assert "It is job 5: " in "\n".join(announcement.connected(server, 8888))


def test_of_a_job_that_is_suspended_start_says_so() -> None:
    server = {**JOB, "version": "JupyterLab 4.6.6", "stalled": SUSPENDED.standstill}
    said = (
        "It is suspended (SUSPENDED): the page does not answer until the scheduler goes on with it."
    )
    assert said in announcement.announcement(server)
    for goes_on in ({**server, "stalled": RUNS.standstill}, JOB | {"version": "x"}):
        assert "suspended" not in "\n".join(announcement.announcement(goes_on))


def test_a_job_that_ends_without_use_says_so_and_one_that_stays_does_not() -> None:
    server = {**JOB, "ends": "2026-07-18T17:20:00Z", "version": "JupyterLab 4.6.6"}
    said = "Unused for 120 min it ends sooner (-e nbserver_idle_shutdown=0: it stays)."
    assert said in announcement.announcement({**server, "idle_shutdown": 7200})
    for never in ({**server, "idle_shutdown": 0}, server):
        assert "Unused" not in "\n".join(announcement.announcement(never))


def test_a_compute_node_is_reached_as_the_node_that_submitted_unless_the_inventory_knows_it() -> (
    None
):
    found = neighbours.host_of({"dev1": DEV}, JOB, "dev1")
    assert found["ansible_host"] == "c1"
    assert found["ansible_ssh_common_args"] == "-J gw"
    assert "ansible_port" not in found
    own = {"inventory_hostname": "c1", "ansible_port": 2201}
    assert neighbours.host_of({"dev1": DEV, "c1": own}, JOB, "dev1") == own

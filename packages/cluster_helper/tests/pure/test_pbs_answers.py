"""What OpenPBS 23.06 and Torque say, as it was recorded, and what it means."""

import pytest
from cluster_helper.schedulers import DIALECTS
from cluster_helper.schedulers.dialect import ENDED, FAILED, RUNNING, WAITING, Task, all_ended

OPENPBS, TORQUE = DIALECTS["pbspro"].tasks, DIALECTS["torque"].tasks


def record(job, **pairs):
    return f"Job Id: {job}\n" + "".join(f"    {n} = {v}\n" for n, v in pairs.items()) + "\n"


@pytest.mark.parametrize(
    ("job", "number"),
    [
        ("4711.pbs-7", 1), ("4711.pbs_7.site-3.org", 1), ("4711", 1), ("21[2].pbs", 2),
        ("21[0].pbs-12", 0), ("1[17].tq", 17), ("123-4.tq", 4), ("123-4.tq-9", 4),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tasks", [OPENPBS, TORQUE])
def test_an_index_is_in_brackets_and_never_a_part_of_the_servers_name(tasks, job, number):
    assert tasks("1", record(job, job_state="R")) == [Task(number, RUNNING)]


@pytest.mark.parametrize("array", ["21[].pbs", "21[].pbs-7"])
def test_the_array_itself_is_no_task(array):
    assert OPENPBS("21[]", record(array, job_state="B", array_state_count="Queued:0")) == []


@pytest.mark.parametrize(
    ("tasks", "name", "status", "reason"),
    [
        (OPENPBS, "Exit_status", -24, "its limit of ncpus was reached"),
        (OPENPBS, "Exit_status", -26, "its limit of vmem was reached"),
        (OPENPBS, "Exit_status", -27, "its limit of mem was reached"),
        (OPENPBS, "Exit_status", -28, "its limit of cput was reached"),
        (OPENPBS, "Exit_status", -29, "its walltime was reached"),
        (OPENPBS, "Exit_status", -11, "exit status -11"),
        (OPENPBS, "Exit_status", 137, "exit status 137 (signal 9)"),
        (OPENPBS, "Exit_status", 0, "exit status 0"),
        (TORQUE, "exit_status", -10, "its limit of mem was reached"),
        (TORQUE, "exit_status", -11, "its walltime was reached"),
        (TORQUE, "exit_status", -12, "its limit of cput was reached"),
        (TORQUE, "exit_status", -29, "exit status -29"),
        (TORQUE, "exit_status", 271, "exit status 271 (signal 15)"),
        (TORQUE, "exit_status", "odd", "exit status odd"),
    ],
)
def test_a_limit_that_was_reached_is_told_by_name(tasks, name, status, reason):
    for state in ("F", "X", "C"):
        text = record("7[3].pbs", job_state=state, **{name: status})
        assert tasks("7[]", text) == [Task(3, ENDED, reason)]


@pytest.mark.parametrize(
    ("pairs", "state", "reason"),
    [
        ({"Hold_Types": "u", "comment": "Job held by ann on Wed"}, FAILED,
         "Job held by ann on Wed"),
        ({"Hold_Types": "u", "comment": "Not Running: Queue not started."}, FAILED,
         "the job is held (Hold_Types = u)"),
        ({"Hold_Types": "s"}, FAILED, "the job is held (Hold_Types = s)"),
        ({"Hold_Types": "n", "comment": "Not Running: Queue not started."}, WAITING,
         "Not Running: Queue not started."),
        ({"comment": "Can Never Run: mem (R: 900gb\n\t A: 24105mb)"}, FAILED,
         "Can Never Run: mem (R: 900gb A: 24105mb)"),
        ({"comment": "Not Running: would exceed user holder's limit"}, WAITING,
         "Not Running: would exceed user holder's limit"),
        ({"comment": "Not Running: above the threshold; can never run below"}, WAITING,
         "Not Running: above the threshold; can never run below"),
        ({"comment": "Job Array Began at Wed Nov 25 at 10:00"}, WAITING, ""),
        ({}, WAITING, ""),
    ],
)  # fmt: skip
def test_a_member_that_waits_has_its_own_words_and_a_hold_comes_first(pairs, state, reason):
    assert OPENPBS("7[]", record("7[2].pbs", job_state="Q", **pairs)) == [Task(2, state, reason)]


def test_torques_held_job_is_held_whatever_its_comment_says():
    text = record("7[2].tq", job_state="H", Hold_Types="u", comment="Not Running: Not started.")
    assert TORQUE("7[]", text) == [Task(2, FAILED, "the job is held (Hold_Types = u)")]


def test_of_a_job_that_is_not_known_any_more_every_task_has_ended_with_what_was_known():
    before = [Task(1, ENDED, "its walltime was reached"), Task(2, RUNNING)]
    assert all_ended(before, 3) == [before[0], Task(2, ENDED), Task(3, ENDED)]
    assert all_ended([], 1) == [Task(1, ENDED)]

"""What Grid Engine says, recorded from 8.1.9, and what it means."""

import pytest
from cluster_helper.schedulers import sge
from cluster_helper.schedulers.dialect import (
    ENDED,
    FAILED,
    RUNNING,
    WAITING,
    Task,
    with_vanished,
)

HEAD = """\
job-ID  prior   name       user         state submit/start at     queue                          slots ja-task-ID
-----------------------------------------------------------------------------------------------------------------
"""  # noqa: E501
RUNS = "     15 0.50000 engines    leo          r     11/24/2026 21:20:15 main@c2  2 1\n"
WAITS = "     15 0.50000 engines    leo          qw    11/24/2026 21:20:15          2 3\n"
HELD = "     15 0.50000 engines    leo          hqw   11/24/2026 21:20:15          2 4\n"
BROKEN = "     15 0.50000 engines    leo          Eqw   11/24/2026 21:20:15          2 5\n"
OTHERS = "    155 0.50000 engines    leo          r     11/24/2026 21:20:15 main@c2  2 1\n"

OWN_QUEUE = "hard_queue_list:            main\n"
DISABLED = """\
scheduling info:            queue instance "main@c1" dropped because it is disabled
                            queue instance "main@c2" dropped because it is disabled
"""
ALL_DROPPED = "                            All queues dropped because of overload or full\n"
FULL = '                            queue instance "main@c2" dropped because it is full\n'
OTHER_FULL = '                            queue instance "long@c2" dropped because it is full\n'
TOO_BIG = """\
scheduling info:            queue instance "main@c1" dropped because it is disabled
                            (-l mem_free=100G) cannot run at host "c2" because it offers only hl:mem_free=20.476G
"""  # noqa: E501
ERROR = """\
error reason          1:      11/24/2026 21:22:37 [1013:1658]: error: can't open output file "/x/y"
scheduling info:            Job is in error state
"""
NOTHING = "scheduling info:            There are no messages available\n"


def test_the_tasks_of_the_job_and_of_no_other():
    found = sge.tasks("15", HEAD + RUNS + WAITS + HELD + BROKEN + OTHERS)
    states = [(task.number, task.state) for task in found]
    assert states == [(1, RUNNING), (3, WAITING), (4, FAILED), (5, FAILED)]


def test_a_task_that_has_left_the_list_has_ended():
    before = [Task(1, RUNNING), Task(2, RUNNING), Task(3, WAITING)]
    now = [Task(2, RUNNING), Task(3, RUNNING)]
    assert with_vanished(before, now) == [Task(1, ENDED), *now]
    assert with_vanished([], now) == now


@pytest.mark.parametrize(
    ("printed", "reason", "hopeless"),
    [
        (OWN_QUEUE + NOTHING, "", False),
        (OWN_QUEUE + DISABLED + ALL_DROPPED, "dropped because it is disabled", True),
        # The thoughts of the round before: no word of this job yet.
        (OWN_QUEUE + DISABLED, "dropped because it is disabled", False),
        (OWN_QUEUE + DISABLED + FULL + ALL_DROPPED, "dropped because it is full", False),
        (OWN_QUEUE + DISABLED + OTHER_FULL + ALL_DROPPED, "because it is disabled", True),
        (DISABLED + OTHER_FULL + ALL_DROPPED, "dropped because it is full", False),
        (OWN_QUEUE + TOO_BIG, "it offers only hl:mem_free=20.476G", False),
        (OWN_QUEUE + ERROR, 'can\'t open output file "/x/y"', False),
        ("", "", False),
    ],
)
def test_why_a_job_waits_and_whether_in_vain(printed, reason, hopeless):
    found = sge.reason(printed)
    assert found.endswith(reason)
    assert bool(found) == bool(reason)
    assert sge.hopeless(printed) == hopeless

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


def listed(number, state, task, where=""):
    """A job of `qstat -xml`."""
    kind = "pending" if "q" in state else "running"
    place = f"<queue_name>{where}</queue_name>" if where else "<queue_name></queue_name>"
    return f"""
    <job_list state="{kind}">
      <JB_job_number>{number}</JB_job_number>
      <JAT_prio>0.50000</JAT_prio>
      <JB_name>engines</JB_name>
      <JB_owner>leo</JB_owner>
      <state>{state}</state>
      <JAT_start_time>2026-11-24T21:20:15</JAT_start_time>
      {place}
      <slots>2</slots>
      <tasks>{task}</tasks>
    </job_list>"""


def answer(*jobs):
    begin = "<?xml version='1.0'?>\n<job_info  xmlns:xsd=\"http://example.org/qstat.xsd\">\n"
    return f"{begin}  <queue_info>{''.join(jobs)}\n  </queue_info>\n</job_info>\n"


RUNS = listed(15, "r", 1, "main@c2")
WAITS = listed(15, "qw", 3)
HELD = listed(15, "hqw", 4)
BROKEN = listed(15, "Eqw", 5)
OTHERS = listed(155, "r", 1, "main@c2")

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
    found = sge.tasks("15", answer(RUNS, WAITS, HELD, BROKEN, OTHERS))
    states = [(task.number, task.state) for task in found]
    assert states == [(1, RUNNING), (3, WAITING), (4, FAILED), (5, FAILED)]


def test_a_list_without_the_job_means_its_end_and_no_list_means_nothing():
    assert sge.DIALECT.is_complete(answer(OTHERS))
    assert not sge.DIALECT.is_complete("")
    assert not sge.DIALECT.is_complete(answer(OTHERS)[:-20])


def test_elements_that_a_persons_defaults_add_change_nothing():
    extended = WAITS.replace("<slots>", "<cpu_usage>0.1</cpu_usage><project>NA</project><slots>")
    assert sge.tasks("15", answer(extended)) == [Task(3, WAITING)]


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

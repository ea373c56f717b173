"""What a server uses of what it may, in words."""

from __future__ import annotations

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._job.supervisor import memory_said
from ansible_collections.hpcc.notebook.plugins.module_utils._server import limits
from ansible_collections.hpcc.notebook.plugins.module_utils._server.limits import MB, Usage

FREE = Usage(300 * MB, 0, 0, 0, 0, 0)
HALF = Usage(300 * MB, 400 * MB, 800 * MB, 3600, 7200, 7200)
NEAR = Usage(300 * MB, 700 * MB, 800 * MB, 6060, 7200, 7200)


def test_nothing_is_said_before_a_limit_is_near() -> None:
    assert not list(limits.warnings(FREE))
    assert not list(limits.warnings(HALF))


def test_of_a_limit_that_is_near_a_person_is_told_what_to_do() -> None:
    memory, cpu = limits.warnings(NEAR)
    assert memory == "700 MB of the 800 MB that its limit allows are used: end a kernel"
    assert cpu == (
        "a process has used 1 h 41 min of the 2 h of CPU time after which this host ends it: "
        "restart its kernel, or use -e nbserver_where=job"
    )


@pytest.mark.parametrize(("hard", "most"), [(14400, "4 h"), (0, "no limit")])
def test_a_soft_limit_is_said_to_be_one(hard: int, most: str) -> None:
    (_memory, cpu) = limits.warnings(Usage(*(*vars(NEAR).values(),)[:5], hard))
    assert f"(`ulimit -S -t` before the start raises that, up to {most})" in cpu


def test_a_figure_stands_beside_its_limit_where_there_is_one() -> None:
    assert limits.memory(vars(FREE)) == "300 MB"
    assert limits.memory(vars(HALF)) == "400 of 800 MB"
    assert limits.cpu_time(vars(FREE)) is None
    assert limits.cpu_time(vars(HALF)) == "1 h of 2 h"
    assert limits.memory({}) is limits.cpu_time({}) is None
    assert limits.memory({"memory": "much", "memory_used": True, "memory_limit": "x"}) is None


@pytest.mark.parametrize(
    ("environment", "granted"),
    [
        ({}, 0),
        ({"SLURM_MEM_PER_NODE": "300"}, 300 * MB),
        ({"SLURM_MEM_PER_CPU": "100", "SLURM_CPUS_ON_NODE": "4"}, 400 * MB),
        ({"SLURM_MEM_PER_NODE": "all"}, 0),
        ({"SLURM_MEM_PER_NODE": "0"}, 0),
    ],
)
def test_slurm_tells_its_job_what_it_has_granted(environment: dict[str, str], granted: int) -> None:
    assert memory_said(environment) == granted

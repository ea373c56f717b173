"""The commands below the table of servers: ssh itself is asked what it would do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters.server_table import (
    server_table,
)
from server_answers import DEV, HOSTS, JOB, RECORDED, RUNNING, SERVER, SILENT, answer


def test_those_that_run_are_shown_with_the_way_to_them():
    variables = {
        "dev1": {**HOSTS["dev1"], "nbserver_looked": answer(RUNNING, RECORDED)},
        "dev2": {**HOSTS["dev2"], "nbserver_reached": SILENT, "nbserver_looked": {"skipped": True}},
    }
    shown = server_table(["dev1", "dev2"], variables)
    assert shown[2].startswith("dev2  unreachable")
    assert shown[-5:] == [
        "",
        "dev1:",
        "On your own computer:",
        "    ssh -N -a -o ExitOnForwardFailure=yes -J gw "
        "-L 127.0.0.1:8888:/tmp/nbserver-1000/notebook.sock alice@dev1",
        "then open https://127.0.0.1:8888   (certificate SHA-256 3F:A2)",
    ]


def served(entrance: Mapping[str, object] = MappingProxyType({}), **job: object) -> list[str]:
    record = {"host": "c1", "seen": False, "user": "ann", **{"since": SERVER.since}}
    way = {"version": SERVER.version, "transport": "socket", "socket": SERVER.socket}
    more = {"job": "5", "ends": SERVER.ends, "session": "job 5", "certificate_sha256": "3F:A2"}
    stopped = {"host": "dev1", "seen": True, "user": "ann", "state": "stopped", "notes": []}
    serves = {**record, **way, **more, **entrance}
    looked = {"servers": [stopped, serves], "damaged": [], "job": "/x", "found_job": job}
    hosts = {"dev1": {**DEV, "nbserver_looked": looked}}
    return list(server_table(["dev1"], hosts, None, 8888))


def test_a_server_that_is_a_job_is_shown_and_reached_as_its_neighbour_is() -> None:
    lines = "\n".join(served(**JOB))
    assert "\nc1    running" in lines
    assert "alice" not in lines
    assert "-J gw -L 127.0.0.1:8888:/tmp/nbserver-1001/notebook.sock ann@c1\n" in lines
    assert "2200" not in lines, "the port is that of the other node"


def test_a_node_that_lets_nobody_in_is_reached_through_the_one_that_submitted() -> None:
    lines = "\n".join(served({"relay": "dev1", "socket": "/tmp/nbserver-1001/job.sock"}, **JOB))
    assert "\nc1    running" in lines
    assert "-L 127.0.0.1:8888:/tmp/nbserver-1001/job.sock ann@dev1.x.edu\n" in lines
    assert "-p 2200" in lines, "the port is that of the node which is logged in to"


def test_that_no_way_was_found_is_said_below_the_command() -> None:
    told = served({"obstacle": "how to get there could not be found out"}, **JOB)
    assert told[-1] == "how to get there could not be found out."


def test_the_record_of_a_job_that_is_over_leads_nowhere() -> None:
    over = {"state": "stopped", "reason": "ended: NODE_FAIL", "host": "dev1"}
    lines = "\n".join(served(**{**JOB, **over}))
    assert "\nc1    job over" in lines
    assert "ssh" not in lines
    assert "Job 5 ended: NODE_FAIL" in lines


def test_a_scheduler_that_does_not_answer_is_told_of_and_hides_nothing() -> None:
    lines = "\n".join(served(failed=True, msg="slurm does not answer"))
    assert "The scheduler was not asked for the job: slurm does not answer" in lines
    assert "dev1" in lines

"""The successor of a notebook's job, on real schedulers: after it, never beside it."""

from __future__ import annotations

import json
import re
import sys
import time

import pytest
from job_sites import SLURM, USER, Site, on, root
from terminal import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "tests"))

import starts
from jobs import cancelled, jobs, leads_there, noted, one_of_two_killed, run

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("nothing_is_left")]

GIVEN: dict[str, object] = {"nbserver_resources": "walltime=00:20:00"}
RECORDS = "cat ~/.ipython/profile_nbserver/run/*.json"
JOB = "~/.ipython/profile_nbserver/job"
KILLS = 10


def pair(site: Site) -> tuple[str, str, str]:
    """A job that serves and its successor, and what start said."""
    said = run("start", site, nbserver_next=True, **GIVEN)
    found = re.search(r"Job (\d+) waits in the queue.*: it begins when job (\d+) has ended", said)
    assert found, said
    assert f"(job {found[2]}, JupyterLab" in said
    return found[2], found[1], said


def servers() -> list[str]:
    """Which compute nodes have a server of the person's."""
    asked = f"pgrep -u {USER} -f jupyter_server.*notebook.sock\\|jupyterlab.*notebook.sock || :"
    return [host for host in ("c1", "c2") if root(host, "sh", "-c", asked)]


def test_it_waits_and_serves_when_the_job_before_it_has_ended(site: Site) -> None:
    own, follows, _said = pair(site)
    assert sorted(jobs(), key=int) == [own, follows]
    _own, _follows, _again = pair(site)
    assert (_own, _follows) == (own, follows), "twice asked is one successor"
    assert sorted(jobs(), key=int) == [own, follows]
    assert f": it begins when job {own} has ended" in run("status", site)
    port = starts.free_port()
    on("gateway", f"{site.cancel} {own}")
    said = run("start", site, nbserver_local_port=port, **GIVEN)
    assert f"(job {follows}, JupyterLab" in said
    assert jobs() == [follows]
    leads_there(said, port)
    assert json.loads(on("dev1", RECORDS))["job"] == follows
    assert len(servers()) == 1


def test_a_stop_ends_both_and_the_successor_never_begins(site: Site) -> None:
    own, follows, _said = pair(site)
    assert f"was stopped: job {follows} and job {own} have ended" in run("stop", site)
    assert jobs() == []
    assert on("dev1", f"ls {JOB}/next.json 2>/dev/null || :") == ""
    assert "ended: it was stopped on request" in run("status", site)


def test_its_own_walltime_leads_from_one_to_the_next(site: Site) -> None:
    given: dict[str, object] = {"nbserver_resources": "walltime=00:01:00", "nbserver_next": True}
    said = run("start", site, **given)
    own = starts.printed(r"\(job (\d+), ", said)
    deadline = time.monotonic() + 150
    while own in jobs():
        assert time.monotonic() < deadline
        assert len(servers()) <= 1
        time.sleep(1)
    said = run("start", site)
    assert f"(job {own}, " not in said
    assert re.search(r"\(job \d+, JupyterLab", said)


def test_on_a_node_it_is_refused_before_anything_happens(ready: str) -> None:
    with pytest.raises(AssertionError) as failed:
        run("start", nbserver_where="node", nbserver_next=True)
    assert (
        "nbserver_next: needs nbserver_where=job: what runs on a node has no successor"
        in " ".join(str(failed.value).split())
    )
    assert jobs() == []
    assert ready


def test_one_whose_dependency_was_lifted_ends_beside_a_job_that_serves(ready: str) -> None:
    own, follows, _said = pair(SLURM)
    before = on("dev1", RECORDS)
    on("gateway", f"scontrol update JobId={follows} Dependency=")
    deadline = time.monotonic() + 150
    while follows in jobs():
        assert time.monotonic() < deadline
        assert len(servers()) == 1
        time.sleep(2)
    told = on("dev1", f"cat {JOB}/job.log")
    assert re.fullmatch(rf"c[12]: job {own} serves still, so job {follows} ends\.", told)
    assert (jobs(), on("dev1", RECORDS)) == ([own], before)
    assert "waits in the queue" not in run("status")
    assert ready


def test_a_job_that_is_put_back_into_the_queue_never_serves_beside_its_successor(
    ready: str,
) -> None:
    own, follows, _said = pair(SLURM)
    root("gateway", "scontrol", "update", f"JobId={own}", "Requeue=1")
    on("gateway", f"scontrol requeue {own}")
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        assert len(servers()) <= 1
        time.sleep(1)
    root("gateway", "sh", "-c", f"scontrol update JobId={own} StartTime=now || :")
    said = run("start", **GIVEN)
    assert re.search(rf"\(job ({own}|{follows}), JupyterLab", said)
    for _each in range(10):
        assert len(servers()) == 1
        time.sleep(1)
    assert ready


def test_kills_at_any_instant_leave_no_job_without_its_record(ready: str) -> None:
    """Both login nodes ask for a successor at once, and one of them is killed at any instant."""
    for number, answer in one_of_two_killed(KILLS, at_most=2, successor=True):
        both = [answer["job"], answer["successor"]]
        assert sorted(jobs(), key=int) == both, number
        assert [noted("submission"), noted("next")] == both
        cancelled(*both[1 - number % 2 :])
    assert ready

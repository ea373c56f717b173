"""What the doctor says to somebody whose notebook is a job, on real schedulers."""

from __future__ import annotations

import re

import pytest
from job_sites import GRIDENGINE, SLURM, USER, Site, on, refusing
from jobs import jobs, run

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("nothing_is_left")]

GIVEN: dict[str, object] = {"nbserver_resources": "walltime=00:20:00"}
TITLES = {"slurm": "Slurm: sbatch, squeue", "gridengine": "Grid Engine: qsub, qstat, qdel"}


def says(printed: str, level: str, subject: str, what: str) -> bool:
    return bool(re.search(rf"^{level} +{subject}: .*{what}", printed, re.MULTILINE))


def test_it_finds_the_scheduler_and_the_way_to_a_job_that_serves(site: Site) -> None:
    before = run("doctor", site)
    assert says(before, "ok", "scheduler", TITLES[site.name])
    assert says(before, "ok", "way to the compute node", "not known before a job serves")
    assert "The compute node:" not in before
    node = re.search(r"Notebook server on (c[12]) is running", run("start", site, **GIVEN))
    assert node
    printed = run("doctor", site)
    assert says(printed, "ok", "job", f"{jobs()[0]} serves on {node[1]} until 2")
    assert says(printed, "ok", "way to the compute node", f"ssh to {node[1]}$")
    assert "The compute node:" in printed
    assert says(printed, "ok", "login", f"to {node[1]}$")
    assert says(printed, "ok", "socket of the server", "/notebook.sock is yours alone")
    on(node[1], "mv /tmp/nbserver-$(id -u)/notebook.sock /tmp/nbserver-$(id -u)/n.sock")
    with pytest.raises(AssertionError, match=r"wrong +socket of the server: there is no /tmp/"):
        run("doctor", site)
    on(node[1], "mv /tmp/nbserver-$(id -u)/n.sock /tmp/nbserver-$(id -u)/notebook.sock")


def test_it_tells_that_a_job_leads_back_where_nodes_let_nobody_in(ready: str) -> None:
    with refusing(f"DenyUsers {USER}"):
        run("start", **GIVEN)
        printed = run("doctor")
        assert says(printed, "ok", "way to the compute node", "leads back to dev1$")
        assert says(printed, "ok", "login", "to dev1$")
        assert says(printed, "ok", "socket of the server", "/job.sock is yours alone")
        run("stop")
    assert "The compute node:" not in run("doctor")
    assert ready


def test_a_scheduler_whose_module_is_not_loaded_is_told_with_what_to_type(ready: str) -> None:
    GRIDENGINE.select()
    try:
        with pytest.raises(AssertionError) as failed:
            run("doctor")
    finally:
        SLURM.select()
    said = " ".join(str(failed.value).split())
    assert "scheduler 'sge' is not here, qconf is not in PATH" in said
    assert """-e '{"nbserver_modules": ["NAME"]}'""" in said
    assert "scheduler" not in run("doctor", nbserver_where="node")
    assert ready

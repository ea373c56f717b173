"""The recipe's last promise: its lines, typed into a notebook, compute on the cluster."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import browser
import pytest
from parallel import CLUSTER, Person, root
from playwright.sync_api import Locator, expect
from terminal import Tunnel, playbook
from waiting import eventually, nothing_left

pytestmark = pytest.mark.timeout(900)

PASSWORD = "a walk along the Red Cedar"
LONG = 300_000  # milliseconds, for a busy machine; the work itself takes ten seconds
FUNCTION = """\
from cluster_helper.cluster import cluster_view

def long_running_function(n):
    import socket, time
    time.sleep(0.25)
    return n * 2, socket.gethostname()

print("defined")"""
# Grid Engine's commands have the names of Slurm's Torque commands.
COMMANDS_FIRST = """\
import os
os.environ["PATH"] = "/opt/gridengine/bin:" + os.environ["PATH"]
print("first")"""
RECIPE = """\
with cluster_view(scheduler="{scheduler}", queue="main", num_jobs=5, extra_params={{
        "resources": "walltime=01:00:00;account=ged-intel11;mem=64mb"}}) as view:
    result = view.map(long_running_function, range(200))"""
RESULT = "print(len(result), result[199][0], sorted(set(host for _n, host in result)))"


@pytest.fixture(scope="module")
def lab(serving: str, local_port: int) -> Iterator[browser.Lab]:
    """JupyterLab on the dev node, prepared and reached as the README says."""
    options = ["-e", f"ansible_user={serving}", "-e", f"nbserver_local_port={local_port}"]
    playbook("parallel", *options)
    printed = playbook("start", *options)
    command = re.search(r"^ +(ssh .*)$", printed, re.MULTILINE)
    assert command
    with Tunnel(command[1], local_port), browser.page() as page:
        browser.log_in(page, f"https://127.0.0.1:{local_port}", PASSWORD)
        yield browser.Lab(page)


@pytest.mark.parametrize("scheduler", ["torque", "slurm"])
def test_the_recipes_lines_give_results_from_two_compute_nodes(
    lab: browser.Lab, serving: str, scheduler: str
) -> None:
    lab.new_notebook()
    give_results(lab, scheduler)
    Person(serving).leaves_no_job()


def test_the_recipes_lines_give_results_through_grid_engine(lab: browser.Lab) -> None:
    subprocess.run([*CLUSTER, "gridengine"], check=True)
    lab.new_notebook()
    assert lab.run_cell(COMMANDS_FIRST) == "first"
    give_results(lab, "sge")
    nothing_left(lambda: root("gateway", "/opt/gridengine/bin/qstat", "-u", "*"), "jobs")


def test_a_restarted_kernel_leaves_no_job(lab: browser.Lab, serving: str) -> None:
    person = Person(serving)
    lab.new_notebook()
    assert lab.run_cell(FUNCTION.replace("0.25", "600")) == "defined"
    lab.type_and_run(RECIPE.format(scheduler="slurm"))
    eventually(lambda: "RUNNING" in " ".join(person.jobs()), "an engine that runs")
    lab.restart_kernel()
    person.leaves_no_job()
    directory = "ls ~/.ipython/cluster_helper"
    nothing_left(lambda: person.on("dev1", directory), "files of the cluster")


def give_results(lab: browser.Lab, scheduler: str) -> None:
    assert lab.run_cell(FUNCTION) == "defined"
    said = lab.run_cell(RECIPE.format(scheduler=scheduler))
    assert said.startswith(f"Starting 5 engines through {scheduler}")
    assert shown_at_last(lab, RESULT) == "200 398 ['c1', 'c2']"
    shown = lab.browser.get_by_text(re.compile(r"\[#+ *\] \d of 5 engines"))
    expect(shown.first).to_be_visible()


def shown_at_last(lab: browser.Lab, code: str) -> str:
    """What a cell shows that has to wait for the one before."""
    lab.active_editor().click()
    lab.browser.keyboard.insert_text(code)
    lab.browser.keyboard.press("Shift+Enter")
    output = lab.browser.locator(f"{lab.cells} .jp-OutputArea-output").last
    expect(output).to_have_text(re.compile(r"^\d+ \d+ \["), timeout=LONG)
    return output.inner_text().strip()


def panel(lab: browser.Lab, name: str = "") -> Locator:
    """A cluster of our profile in JupyterLab's list."""
    page = lab.browser
    page.goto(f"{page.url.partition('/lab')[0]}/lab?reset")
    page.click('li[data-id="ipp-cluster-launcher"]')
    return page.locator(f'li[data-cluster-id="cluster:{name}"]')


def start(cluster: Locator, person: Person) -> None:
    cluster.locator(".ipp-ClusterListingItem-start").click()
    eventually(lambda: "RUNNING" in " ".join(person.jobs()), "an engine that runs")


def test_the_panel_of_clusters_starts_engines_on_the_scheduler_and_stops_them(
    lab: browser.Lab, serving: str
) -> None:
    person, cluster = Person(serving), panel(lab)
    start(cluster, person)
    expect(cluster).to_contain_text("State: running", timeout=LONG)
    cluster.locator(".ipp-ClusterListingItem-stop").click()
    person.leaves_no_job()


def test_a_terminal_sees_and_stops_what_the_panel_has_started(
    lab: browser.Lab, serving: str
) -> None:
    person, cluster = Person(serving), panel(lab)
    start(cluster, person)
    assert re.search(r"^cluster .* True +4 ", ipcluster(person, "list"), re.MULTILINE)
    ipcluster(person, "stop --profile=cluster")
    person.leaves_no_job()


def test_the_panel_stops_what_a_terminal_has_started(lab: browser.Lab, serving: str) -> None:
    person = Person(serving)
    ipcluster(person, "start --profile=cluster --cluster-id=terminal --daemonize -n 2")
    eventually(lambda: "RUNNING" in " ".join(person.jobs()), "an engine that runs")
    cluster = panel(lab, "terminal")
    expect(cluster).to_contain_text("State: running", timeout=LONG)
    cluster.locator(".ipp-ClusterListingItem-stop").click()
    person.leaves_no_job()


def ipcluster(person: Person, words: str) -> str:
    return person.on("dev1", f"~/anaconda/bin/ipcluster {words}")

"""The notebook as a job of a real scheduler: it waits, serves, ends in order, there is one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import browser
import pytest
from connecting import GREETING, common, connecting
from job_sites import (
    GRIDENGINE,
    NEIGHBOUR,
    SLURM,
    STATE,
    USER,
    Site,
    on,
    private_tmp,
    refusing,
    root,
    until,
)
from terminal import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "tests"))
sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))

import starts
from ansible_collections.hpcc.notebook.plugins.module_utils._common import moments
from jobs import (
    WORDS,
    cancelled,
    jobs,
    leads_there,
    noted,
    one_of_two_killed,
    ports,
    run,
    starting,
)

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("nothing_is_left")]

PROFILE = "~/.ipython/profile_nbserver"
PICTURES = CHECKOUT / "tests" / "output"
KILLS = 30
# Runs on the compute node: a cell that notices when it is interrupted.
CELL = """
import glob, time
from jupyter_client import BlockingKernelClient
found = glob.glob("/tmp/nbserver-*/runtime/kernel-*.json")[0]
client = BlockingKernelClient(connection_file=found)
client.load_connection_file()
client.start_channels()
client.wait_for_ready(60)
client.execute('''
import os, socket, time
open(os.path.expanduser("~/cell"), "w").write(f"{socket.gethostname()} {os.environ['ID']}")
try:
    time.sleep(600)
except KeyboardInterrupt:
    open(os.path.expanduser("~/interrupted"), "w").write("by a signal")
''')
time.sleep(3)
"""
KERNEL = (
    'curl -sk --unix-socket /tmp/nbserver-*/notebook.sock -X POST -d "{}" '
    '-H "Authorization: token $(cat ~/.ipython/profile_nbserver/security/token)" '
    "https://localhost/api/kernels"
)


def test_it_waits_in_the_schedulers_words_and_ctrl_c_leaves_it_queued(full_queue: Site) -> None:
    with starting(full_queue) as terminal:
        terminal.expect(rf"Job (\d+) waits in the queue: {full_queue.waits}")
        job = terminal.match[1]
        terminal.sendcontrol("c")
        terminal.expect("stays in the queue: start again joins it")
    assert jobs() == [job]
    assert f"Job {job} waits in the queue: " in run("status", full_queue)
    on("gateway", full_queue.empty, user=NEIGHBOUR)
    said = run("start", full_queue)
    assert f"(job {job}, " in said, "the second start joins the job of the first"


def test_its_server_is_reached_by_the_printed_tunnel_and_has_no_port(site: Site) -> None:
    port = starts.free_port()
    said = run("start", site, nbserver_local_port=port, nbserver_resources="walltime=00:20:00")
    assert re.search(r"running \(job \d+, JupyterLab [\d.]+\); 1\d min left", said)
    leads_there(said, port)
    node = starts.printed(r"Notebook server on (\S+) is running", said)
    assert ports(node) == ""
    seen = run("status", site)
    assert re.search(rf"^{node} +running ", seen, re.MULTILINE)
    assert re.search(rf"^Job \d+ on {node} .*min left, until ", seen, re.MULTILINE)
    assert f"Notebook server on {node} was stopped: job " in run(
        "stop", site, nbserver_where="node"
    )
    assert jobs() == []
    assert "ended: it was stopped on request" in run("status", site)


def until_relayed(node: str) -> None:
    """The job looks after its connection once a second."""
    deadline = time.monotonic() + 30
    while not root(node, "sh", "-c", f"pgrep -u {USER} -x ssh || :"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    time.sleep(2)


@pytest.mark.parametrize(
    ("site", "line"),
    [(SLURM, f"DenyUsers {USER}"), (GRIDENGINE, "Port 2299")],
    indirect=["site"],
    ids=["slurm denies", "gridengine has none"],
)
def test_a_node_without_a_login_is_reached_through_the_one_that_submitted(
    site: Site, line: str
) -> None:
    """Without a port anywhere; a connection that breaks is made anew; nothing of it stays."""
    port = starts.free_port()
    given = {"nbserver_local_port": port, "nbserver_resources": "walltime=00:20:00"}
    with refusing(line):
        said = run("start", site, **given)
        node = starts.printed(r"Notebook server on (c[12]) is running", said)
        assert f"job.sock {USER}@dev1\n" in said
        leads_there(said, port)
        assert ports("dev1", node) == ""
        root(node, "pkill", "-KILL", "-u", USER, "-x", "ssh")
        until_relayed(node)
        leads_there(run("status", site, **given), port)
        with connecting("-e", WORDS, "-e", json.dumps(given)) as terminal:
            terminal.expect(GREETING)
            starts.log_in(port, starts.printed(r"SHA-256 ([0-9A-F:]+)", said))
        run("stop", site)
    assert on("dev1", "ls -A /tmp/nbserver-$(id -u)/ 2>/dev/null || :") == ""
    assert on("dev1", f"pgrep -u {USER} -x ssh || :") == ""


def test_a_job_with_a_tmp_of_its_own_is_reached_through_its_process(ready: str) -> None:
    port = starts.free_port()
    with private_tmp():
        said = run("start", nbserver_local_port=port, nbserver_resources="walltime=00:20:00")
        assert re.search(rf":/proc/\d+/root/tmp/nbserver-\d+/notebook.sock {USER}@c[12]\n", said)
        leads_there(said, port)
        run("stop")
    assert ready


def test_the_short_name_leads_into_the_job(ready: str, tmp_path: Path) -> None:
    """A shell where the notebook is, for `ssh`, `sftp` and editors; by way of no inventory."""
    config = tmp_path / "config"
    config.write_text((STATE / "ssh_config").read_text())
    said = run("start", nbserver_resources="walltime=00:20:00")
    node = starts.printed(r"Notebook server on (\S+) is running", said)
    given = {"nbserver_ssh_config": "present", "nbserver_ssh_config_file": str(config)}
    port = {"nbserver_local_port": starts.free_port(), "nbserver_where": "job"}
    options = ["-e", WORDS, "-e", json.dumps({**given, **port}), *common(config, "gateway", USER)]
    with connecting(*options) as terminal:
        terminal.expect(GREETING)
        ssh = ["ssh", "-F", str(config), "-T", "nbserver"]
        shell = subprocess.run(
            [*ssh, "bash"], input="hostname; cat ~/.ipython/profile_nbserver/run/*.json",
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
    assert shell.startswith(f"{node}\n")
    assert f'"host": "{node}"' in shell
    assert ready


def test_no_task_is_skipped_and_a_scheduler_is_asked_only_where_a_job_was(ready: str) -> None:
    on("dev1", f"rm -rf {PROFILE}/job")
    said = run("status", nbserver_where="node")
    assert "Job " not in said
    started = run("start", nbserver_resources="walltime=00:20:00")
    seen = run("status")
    assert re.search(r"^Job \d+ on c[12] .*min left, until ", seen, re.MULTILINE)
    assert "skipping: " not in said + started + seen + run("stop") + run("stop")
    assert ready


def test_a_stop_ends_a_server_on_a_node_and_a_job_and_says_both(ready: str) -> None:
    assert "on dev1 is running (tmux session" in run("start", nbserver_where="node")
    run("start", nbserver_second=True, nbserver_resources="walltime=00:20:00")
    (job,) = jobs()
    said = run("stop", nbserver_where="node")
    assert f"server on dev1 was stopped: it shut down cleanly, and job {job} has ended." in said
    assert jobs() == []
    assert "was not running" in run("stop")
    assert ready


def test_a_restart_keeps_the_job_and_its_node(ready: str) -> None:
    run("start", nbserver_resources="walltime=00:20:00;mem=900mb")
    before = jobs()
    said = run("restart", nbserver_frontend="notebook")
    assert re.search(r"^Job .*; memory: \d+ of 900 MB$", run("status"), re.MULTILINE)
    assert jobs() == before
    assert f"(job {before[0]}, Jupyter Notebook 7" in said
    other = run("restart", nbserver_resources="walltime=00:15:00")
    assert jobs() != before, "other resources take another job"
    assert "14 min left" in other
    assert ready


def with_line(line: str) -> str:
    """Before the last line, which says that the file is whole."""
    return f"sed -i '$i {line}' {PROFILE}/jupyter_server_config.py"


def configuration(line: str) -> None:
    """A line more in the profile's configuration; without one, what setup has written."""
    path = f"{PROFILE}/jupyter_server_config.py"
    keep = f"[ -e {path}.kept ] || cp -p {path} {path}.kept"
    on("dev1", f"{keep}; {with_line(line)}" if line else f"mv {path}.kept {path}")


def test_a_restart_that_cannot_succeed_leaves_job_server_and_kernels(site: Site) -> None:
    port = starts.free_port()
    given = {"nbserver_local_port": port, "nbserver_resources": "walltime=00:20:00"}
    said = run("start", site, **given)
    before, record = jobs(), "cat ~/.ipython/profile_nbserver/run/*.json"
    node = starts.printed(r"Notebook server on (\S+) is running", said)
    on(node, KERNEL)
    kernel = on(node, f"pgrep -u {USER} -f runtime/kernel-")
    serves = on("dev1", record)
    configuration("c.ServerApp.no_such_trait = 1")
    try:
        with pytest.raises(AssertionError) as failed:
            run("restart", site)
    finally:
        configuration("")
    words = " ".join(str(failed.value).split())
    assert "not recognized by `ServerApp`" in words
    assert "The server that runs was left as it is." in words
    assert (jobs(), on("dev1", record)) == (before, serves)
    assert on(node, f"pgrep -u {USER} -f runtime/kernel-") == kernel
    with pytest.raises(AssertionError, match=r"would\s+refuse\s+the\s+job"):
        run("restart", site, nbserver_queue="nosuch")
    assert (jobs(), on("dev1", record)) == (before, serves)
    leads_there(said, port)
    assert "is running (job " in run("restart", site, **given)


# What happens to a profile while its job waits, and whether it serves then, as private as ever.
DAMAGES = {
    "no password": (f"echo '{{}}' > {PROFILE}/jupyter_server_config.json", False),
    "half a key": (f"truncate -s 40 {PROFILE}/security/notebook.key", False),
    "another token": (with_line('c.IdentityProvider.token = ""'), False),
    "every address": (with_line('c.ServerApp.ip = "0.0.0.0"; c.ServerApp.port = 9999'), True),
}
STRANGER = "curl -sk -o /dev/null -w '%{http_code}' --unix-socket /tmp/nbserver-*/notebook.sock"


@pytest.mark.parametrize(("damage", "serves"), DAMAGES.values(), ids=DAMAGES)
def test_a_profile_that_is_damaged_while_its_job_waits_opens_no_server(
    ready: str, damage: str, serves: bool
) -> None:
    on("gateway", SLURM.fill, user=NEIGHBOUR)
    until("gateway", SLURM.full)
    with starting(SLURM) as terminal:
        terminal.expect("waits in the queue: ")
        terminal.sendcontrol("c")
    on("dev1", f"cp -a {PROFILE} ~/kept; {damage}")
    try:
        on("gateway", SLURM.empty, user=NEIGHBOUR)
        deadline = time.monotonic() + 120
        while jobs() and not on("dev1", f"ls {PROFILE}/run"):
            assert time.monotonic() < deadline
            time.sleep(1)
        assert ports("c1", "c2") == ""
        said = run("status")
        if not serves:
            assert "ended: no server was started: " in said
            assert jobs() == []
        else:
            node = starts.printed(r"^(c[12]) +running ", said)
            assert on(node, f"{STRANGER} https://localhost/api/contents") == "403"
    finally:
        run("stop")
        on("dev1", f"cd ~/kept && for f in *.py *.json security/*; do cp -p $f {PROFILE}/$f; done")
        on("dev1", "rm -r ~/kept")
    assert ready


def test_held_cancelled_lost_and_put_back_are_told_as_what_they_are(ready: str) -> None:
    given = {"nbserver_resources": "walltime=00:20:00"}
    node = starts.printed(r"server on (c[12]) is running", run("start", **given))
    (job,) = jobs()
    root("gateway", "scontrol", "update", f"JobId={job}", "Requeue=1")
    on("gateway", f"scontrol requeue {job}")
    deadline = time.monotonic() + 60
    while "was put back into the queue (" not in (seen := run("status")):
        assert time.monotonic() < deadline, seen
    on("gateway", f"scontrol hold {job}")
    assert "it is held until somebody releases it (JobHeldUser)" in run("status")
    root("gateway", "scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")
    try:
        on("gateway", f"scontrol release {job}")
        root("gateway", "scontrol", "update", f"JobId={job}", "StartTime=now")
        said = run("start", **given)
        other = starts.printed(r"server on (c[12]) is running", said)
        assert (other != node, jobs()) == (True, [job])
        with connecting("-e", WORDS) as terminal:
            terminal.expect(f"on {other} is at")
            terminal.expect(GREETING)
        root("gateway", "scancel", job)
        assert "ended: somebody cancelled it (CANCELLED)" in ended_status()
        run("start", **given)
        root("gateway", "scontrol", "update", f"NodeName={other}", "State=DOWN", "Reason=test")
        assert "ended: its node failed (NODE_FAIL)" in ended_status()
    finally:
        for host in ("c1", "c2"):
            root("gateway", "sh", "-c", f"scontrol update NodeName={host} State=RESUME || :")
    assert ready


def ended_status() -> str:
    """What status says once the job is gone."""
    deadline = time.monotonic() + 60
    while jobs():
        assert time.monotonic() < deadline
        time.sleep(1)
    return run("status")


def test_what_can_never_run_ends_within_seconds_with_slurms_words(ready: str) -> None:
    root("gateway", "scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        with pytest.raises(AssertionError, match="it can never run: PartitionDown"):
            run("start")
    finally:
        root("gateway", "scontrol", "update", "PartitionName=main", "State=UP")
    assert jobs() == []
    assert ready


def test_its_end_interrupts_cells_and_is_told_afterwards(site: Site) -> None:
    said = run("start", site, nbserver_resources="walltime=00:02:00")
    job = starts.printed(r"\(job (\d+), ", said)
    node = starts.printed(r"Notebook server on (\S+) is running", said)
    on(node, KERNEL)
    on(node, "~/anaconda/bin/python -I -", text=CELL.replace("ID", site.job_id))
    assert on(node, "cat ~/cell") == f"{node} {job}"
    deadline = time.monotonic() + 150
    while jobs() and time.monotonic() < deadline:
        time.sleep(2)
    assert on("dev1", "cat ~/interrupted") == "by a signal"
    assert "ended: walltime of 00:02:00 reached" in run("status", site)
    assert on("dev1", "ls ~/.ipython/profile_nbserver/run") == ""


def moment_of_end() -> float:
    """When the walltime of the running job is over, as its record says."""
    (ends,) = re.findall(
        r'"ends": "(.+)"', on("dev1", "cat ~/.ipython/profile_nbserver/run/*.json")
    )
    moment = moments.moment_of(ends)
    assert moment is not None
    return float(moment)


@pytest.mark.parametrize("frontend", [browser.Lab, browser.Notebook])
def test_three_minutes_are_shown_and_warned_of_and_what_is_typed_at_last_is_kept(
    ready: str, frontend: type[browser.Lab]
) -> None:
    port = starts.free_port()
    asked = {"nbserver_local_port": port, "nbserver_resources": "walltime=00:03:00"}
    said = run("start", nbserver_frontend=frontend.frontend, **asked)
    over = moment_of_end()
    last_words = f"typed at {over}"
    command = starts.printed(r"^ +(ssh .*)$", said)
    with starts.tunnel(command, port), browser.page() as page:
        browser.log_in(page, f"https://127.0.0.1:{port}", starts.PASSWORD)
        notebook = frontend(page)
        notebook.new_notebook()
        shown = page.locator("#hpcc-notebook-time-left")
        browser.expect(shown).to_have_text(re.compile(r"^(\d min )?\d+ s left$"))
        warning = page.locator(".Toastify__toast")
        says = "The job of this server ends in "
        browser.expect(warning).to_contain_text(says, timeout=browser.PATIENCE)
        page.wait_for_timeout(max(0.0, over - 40 - time.time()) * 1000)
        assert time.time() < over - 33, "the machine is too busy for this job"
        notebook.active_editor().click()
        page.keyboard.insert_text(f"# {last_words}")
        browser.expect(warning).to_have_count(1)  # the second one has taken the place of the first
        page.screenshot(path=PICTURES / f"time-left-{frontend.frontend}.png")
        deadline = time.monotonic() + 150
        while jobs() and time.monotonic() < deadline:
            time.sleep(2)
    assert last_words in on("dev1", "cat ~/*.ipynb")
    assert "ended: walltime of 00:03:00 reached" in run("status")
    assert ready


def test_two_computers_and_thirty_kills_never_make_two_jobs(ready: str) -> None:
    """Both login nodes start at once, and one of them is killed at any instant."""
    for number, answer in one_of_two_killed(KILLS, at_most=1):
        assert jobs() == [answer["job"]], number
        assert noted("submission") == answer["job"]
        if number % 3 == 2:  # from nothing again; otherwise from the job that there is
            cancelled(answer["job"])
    assert ready

"""The notebook as a job of a real Slurm: it waits, serves, ends in order, and there is one."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import browser
import pexpect
import pytest
from connecting import GREETING, common, connecting
from terminal import BIN, CHECKOUT, CLUSTER, environment, playbook

sys.path.insert(0, str(CHECKOUT / "tests"))
sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))

import starts
from ansible_collections.hpcc.notebook.plugins.module_utils._job import supervisor
from ansible_collections.hpcc.notebook.plugins.module_utils._server import table
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.cluster_helper_texts import (
    cluster_helper_texts,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.module_program import (
    ModuleProgram,
    module_program,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.sent_program import program

pytestmark = pytest.mark.timeout(900)

USER = "judy"
STATE = CHECKOUT / ".cluster"
PICTURES = CHECKOUT / "tests" / "output"
KILLS = 30
WORDS = json.dumps({"ansible_user": USER, "nbserver_profile_password": starts.PASSWORD})
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
open(os.path.expanduser("~/cell"), "w").write(socket.gethostname() + os.environ["SLURM_JOB_ID"])
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


def on(host: str, command: str, *, user: str = USER, text: str = "") -> str:
    """Run a command there as the person."""
    argv = ["ssh", "-F", str(STATE / "ssh_config"), f"{user}@{host}", command]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def root(host: str, *command: str) -> None:
    subprocess.run([*CLUSTER, "root", host, *command], check=True)


def jobs(*options: str) -> list[str]:
    """The person's jobs, as Slurm lists them."""
    asked = " ".join(["squeue", "--noheader", f"--user={USER}", "--format=%A", *options])
    return on("gateway", asked).split()


def run(name: str, **more: object) -> str:
    return playbook(name, "-e", WORDS, "-e", json.dumps({"nbserver_where": "job", **more}))


@pytest.fixture(scope="module")
def ready(account: str) -> str:
    assert account != USER
    subprocess.run([*CLUSTER, "reset", USER, "bob"], check=True)
    playbook("setup", "-e", WORDS)
    return USER


@pytest.fixture(autouse=True)
def nothing_is_left(ready: str) -> Iterator[None]:
    """Whatever happens: no job, and no process of the person's on a compute node."""
    yield
    run("stop")
    assert jobs() == []
    for host in ("c1", "c2"):
        processes = f"ps -u {USER} -o args= | grep -v 'sshd\\|ps -u\\|grep\\|bash' || :"
        assert on(host, processes) == ""
        assert on(host, "ls -A /tmp/nbserver-*/ 2>/dev/null || :").split() in ([], ["runtime"])
    assert ready


@pytest.fixture
def full_queue() -> Iterator[None]:
    """Somebody else has all the cores."""
    for _node in range(2):
        on("gateway", "sbatch -c 4 -t 9 --output=/dev/null --wrap 'sleep 500'", user="bob")
    yield
    on("gateway", "scancel --user=bob", user="bob")


def test_it_waits_in_the_schedulers_words_and_ctrl_c_leaves_it_queued(full_queue: None) -> None:
    words = ["playbooks/start.yml", "-i", str(STATE / "inventory.ini"), "-e", WORDS]
    asked = {"nbserver_where": "job", "nbserver_resources": "walltime=00:20:00;mem=300mb"}
    terminal = pexpect.spawn(
        str(BIN / "ansible-playbook"), [*words, "-e", json.dumps(asked)], cwd=str(CHECKOUT),
        encoding="utf-8", timeout=120, dimensions=(50, 300), env=environment(),
    )  # fmt: skip
    terminal.expect(r"Job (\d+) waits in the queue: (Resources|Priority)")
    job = terminal.match[1]
    terminal.sendcontrol("c")
    terminal.expect("stays in the queue: start again joins it")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert jobs() == [job]
    assert f"Job {job} waits in the queue: " in run("status")
    on("gateway", "scancel --user=bob", user="bob")
    assert f"(job {job}, " in run("start"), "the second start joins the job of the first"
    assert full_queue is None


def test_its_server_is_reached_by_the_printed_tunnel_and_has_no_port(ready: str) -> None:
    port = starts.free_port()
    said = run("start", nbserver_local_port=port, nbserver_resources="walltime=00:20:00")
    assert re.search(r"running \(job \d+, JupyterLab [\d.]+\); 1\d min left", said)
    command = starts.printed(r"^ +(ssh .*)$", said)
    with starts.tunnel(command, port):
        starts.log_in(port, starts.printed(r"SHA-256 ([0-9A-F:]+)", said))
    node = starts.printed(r"Notebook server on (\S+) is running", said)
    uid = on(node, "id -u")
    table = "/proc/net/tcp /proc/net/tcp6"
    assert on(node, f"awk '$4 == \"0A\" && $8 == {uid}' {table}") == ""
    seen = run("status")
    assert re.search(rf"^{node} +running ", seen, re.MULTILINE)
    assert re.search(rf"^Job \d+ on {node} .*min left, until ", seen, re.MULTILINE)
    assert f"Notebook server on {node} was stopped: job " in playbook("stop", "-e", WORDS)
    assert jobs() == []
    assert "ended: it was stopped on request" in run("status")
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


def test_what_can_never_run_ends_within_seconds_with_slurms_words(ready: str) -> None:
    root("gateway", "scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        with pytest.raises(AssertionError, match="it can never run: PartitionDown"):
            run("start")
    finally:
        root("gateway", "scontrol", "update", "PartitionName=main", "State=UP")
    assert jobs() == []
    assert ready


def test_its_end_interrupts_cells_and_is_told_afterwards(ready: str) -> None:
    said = run("start", nbserver_resources="walltime=00:02:00")
    node = starts.printed(r"Notebook server on (\S+) is running", said)
    on(node, KERNEL)
    on(node, "~/anaconda/bin/python -I -", text=CELL)
    assert on(node, "cat ~/cell").startswith(node)
    deadline = time.monotonic() + 150
    while jobs() and time.monotonic() < deadline:
        time.sleep(2)
    assert on("dev1", "cat ~/interrupted") == "by a signal"
    assert "ended: walltime of 00:02:00 reached" in run("status")
    assert on("dev1", "ls ~/.ipython/profile_nbserver/run") == ""
    assert ready


def moment_of_end() -> float:
    """When the walltime of the running job is over, as its record says."""
    (ends,) = re.findall(
        r'"ends": "(.+)"', on("dev1", "cat ~/.ipython/profile_nbserver/run/*.json")
    )
    moment = table.moment_of(ends)
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


def submitting() -> ModuleProgram:
    """What start sends to the node."""
    given = {"resources": "walltime=00:20:00", "program": program(supervisor.__name__)}
    return module_program("notebook_job", given, check=False, also=cluster_helper_texts())


def begun(host: str) -> tuple[subprocess.Popen[bytes], ModuleProgram]:
    """A start on the node; the pid of the program there lies in a file."""
    sent = submitting()
    command = f"echo $$ > ~/pid-{host}; exec ~/anaconda/bin/python -I -"
    process = subprocess.Popen(
        ["ssh", "-F", str(STATE / "ssh_config"), f"{USER}@{host}", command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(sent.program)
    process.stdin.close()
    process.stdin = None
    return process, sent


def test_two_computers_and_thirty_kills_never_make_two_jobs(ready: str) -> None:
    """Both login nodes start at once, and one of them is killed at any instant."""
    dice = random.Random(7)
    for number in range(KILLS):
        one, other = begun("dev1"), begun("gateway")
        time.sleep(dice.uniform(0.3, 3.0))
        on("dev1", "kill -KILL $(cat ~/pid-dev1) 2>/dev/null || :")
        one[0].communicate(timeout=60)
        assert len(jobs()) <= 1, number
        printed, errors = other[0].communicate(timeout=90)
        answer = other[1].answer(printed.decode())
        assert answer, errors
        assert not answer.get("failed"), answer
        assert jobs() == [answer["job"]], number
        record = json.loads(on("dev1", "cat ~/.ipython/profile_nbserver/job/submission.json"))
        assert record["job"] == answer["job"]
        if number % 3 == 2:  # from nothing again; otherwise from the job that there is
            on("gateway", f"scancel {answer['job']}")
            while jobs():
                time.sleep(0.5)
    assert ready

"""A server that is a job: a neighbour with an account, and a job of her own, on the same nodes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import canaries
from job_sites import COMPUTE, refusing
from people import PASSWORD, Person, Run, done, playbook, root
from report import Report

UID = 1001
LOCAL = f"/tmp/nbserver-{UID}"
PROFILE = "/home/alice/.ipython/profile_nbserver"
HOSTS = ("gateway", "dev1", *COMPUTE)
OWNER = Person("alice", "dev1")
AS_A_JOB = {"nbserver_where": "job", "nbserver_resources": "walltime=00:20:00"}
WITH_A_SUCCESSOR = {**AS_A_JOB, "nbserver_next": True}
# What she makes of the directory that a server of this account would use.
PLANTED = (
    "mkdir -m 0777 {0}",
    "mkdir -m 0777 {0} && python3 -c 'import socket; socket.socket(1).bind(\"{0}/{1}\")'",
    "mkdir -m 0777 {0}.hers && ln -s {0}.hers {0}",
)


def jobs(report: Report, *, short: bool = False) -> None:
    """Nothing listens, nothing can be read, and a directory that is hers leads nobody astray."""
    done("stop")
    try:
        with watched() as seen:
            started = done("start", **WITH_A_SUCCESSOR)
            node = started.printed(r"Notebook server on (c[12]) is running")
            report.note("a job's listeners", *ports())
            hands(report, node)
            report.note("secrets of a job", *secrets(seen, node))
            done("stop")
        relayed(report)
        for command in PLANTED[:1] if short else PLANTED:
            planted(report, command)
    finally:
        done("stop")


def ports() -> list[str]:
    """The person's listeners on any host."""
    look = f"cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\" && $8 == {UID} {{ print $2 }}'"
    return [f"{host}: {found}" for host in HOSTS for found in root(host, look).split()]


def hands(report: Report, node: str) -> None:
    """What she tries on the compute node itself, and asks the scheduler."""
    pid = root(node, f"pgrep -u {UID} -o -f supervisor.py").strip()
    job, successor = (
        OWNER.says(f"squeue --noheader --me --states={state} --format=%A")
        for state in ("RUNNING", "PENDING")
    )
    doors = {
        "list its directory": f"ls {LOCAL}",
        "ask over its socket": f"curl -sk --unix-socket {LOCAL}/notebook.sock https://x/api",
        "the same through the process": f"ls /proc/{pid}/root{LOCAL}",
        "read its environment": f"cat /proc/{pid}/environ",
        "signal it": f"kill -0 {pid}",
        "read its script": f"scontrol write batch_script {job} - | grep '^#!'",  # it says no with 0
        "read its output": f"cat {PROFILE}/job/job.log",
        "read its record": f"cat {PROFILE}/job/submission.json",
        "read its successor's script": f"scontrol write batch_script {successor} - | grep '^#!'",
        "read its successor's record": f"cat {PROFILE}/job/next.json",
        "hold its successor": f"scontrol hold {successor}",
        "end it": f"scancel --signal=CONT --batch {job}",
    }
    for door, command in doors.items():
        assert Person("alice", node).run(command).returncode == 0, f"not even its owner can {door}"
        opened = Person("mallory", node).run(command).returncode == 0
        report.note(f"a neighbour on the compute node: {door}", *["it was possible"] * opened)


@contextmanager
def watched() -> Iterator[dict[str, bytes]]:
    """What she sees of command lines and environments meanwhile, on every host."""
    seen: dict[str, bytes] = {}
    with ExitStack() as stack:
        pollers = {
            host: stack.enter_context(Person("mallory", host).running("poller.py"))
            for host in HOSTS
        }
        yield seen
        seen |= {host: base64.b64decode(poller.rest()) for host, poller in pollers.items()}


def secrets(seen: dict[str, bytes], node: str) -> list[str]:
    """What stands where it must not: in what others see, and in all that is left of a job."""
    token, key = (
        OWNER.says(f"cat {PROFILE}/security/{name}") for name in ("token", "notebook.key")
    )
    inner = "".join(key.splitlines()[1:-1])
    private = {"password": PASSWORD, "token": token, "key": inner[:64]}
    left = {
        "the job's files": OWNER.says(f"cat {PROFILE}/job/*"),
        "what the scheduler shows": Person("mallory", node).says("scontrol show job -dd"),
        "its processes": root(
            node,
            f"cd /proc; for p in $(pgrep -u {UID}); do cat $p/environ $p/cmdline || :; done",
        ),
    }
    places = {**{name: text.encode() for name, text in left.items()}, **seen}
    return canaries.found({name: text.encode() for name, text in private.items()}, places)


def relayed(report: Report) -> None:
    """Where no login is possible the job makes one, and she has the directory at its end."""
    with refusing(f"DenyUsers {OWNER.name}"):
        started = done("start", **AS_A_JOB)
        assert f":{LOCAL}/job.sock alice@dev1" in started.output, started.output
        report.note("a relayed job's listeners", *ports())
        she = Person("mallory", "dev1")
        ask = f"curl -sk --unix-socket {LOCAL}/job.sock https://x/api"
        assert OWNER.run(ask).returncode == 0, "not even its owner can ask"
        report.note("ask over the relay", *["it was possible"] * (she.run(ask).returncode == 0))
        done("stop")
        for command in PLANTED:
            with hers(("dev1",), command, "job.sock"):
                report.note("a relay into a directory that is hers", *astray("start"))
                playbook("stop")


def planted(report: Report, command: str) -> None:
    """She was on each compute node first."""
    with hers(COMPUTE, command, "notebook.sock"):
        for line in ("start", "status", "restart", "stop"):
            found = astray(line)
            report.note(
                "a job's directory that is hers", *found, what="a job's directory", line=line
            )


def astray(line: str) -> list[str]:
    """A command that leads into the directory which is hers."""
    run: Run = playbook(line, **AS_A_JOB)
    led = re.findall(rf"-L \S+:(?:/proc/\d+/root)?{LOCAL}/\S+", run.output)
    return [*led, *(["a traceback"] if "Traceback" in run.output else [])]


@contextmanager
def hers(hosts: tuple[str, ...], command: str, socket: str) -> Iterator[None]:
    """What she has made on these hosts; taken back in the end."""
    for host in hosts:
        root(host, f"rm -rf {LOCAL} {LOCAL}.hers")
        Person("mallory", host).says(command.format(LOCAL, socket))
    try:
        yield
    finally:
        for host in hosts:
            root(host, f"rm -rf {LOCAL} {LOCAL}.hers")

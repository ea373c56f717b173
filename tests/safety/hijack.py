"""Attack a notebook server and every playbook as another user of the same machines.

hijack.py          every variant; ends with one line of figures, and exit 1 if one succeeded
hijack.py --short  what takes longest less often
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import re
import socket
import ssl
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pexpect
from attacks.controller import computer
from attacks.controller_directory import directory_of_the_controller
from attacks.controller_names import names_of_the_computer
from attacks.jobs import jobs
from attacks.planted_names import names_below_tmp, names_of_old, names_seen
from attacks.planted_prefixes import prefixes
from attacks.swept import swept_runtime
from attacks.temporary_directory import temporary_directory
from attacks.words import words
from attacks.working_directory import cluster_view, cluster_view_in_a_job
from people import PYTHON, Person, Run, done, playbook, root
from report import Report
from terminal import CHECKOUT, CLUSTER, end_ssh, interruptible

sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.tunnel import gateway_port

UID = 1001
LOCAL = f"/tmp/nbserver-{UID}"
SOCKET = f"{LOCAL}/notebook.sock"
PROFILE = "/home/alice/.ipython/profile_nbserver"
PORT = 18888
CANARY = "canary-of-the-kernel-93b1"
ALICE, NEIGHBOUR = Person("alice", "dev1"), Person("mallory", "dev1")
ON_GATEWAY = Person("mallory", "gateway")
KINDS = (
    "IPv4", "IPv6", "both", "every IPv4 address", "every IPv6 address", "every address",
    "bound, not listening",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def listening(host: str) -> set[tuple[str, str]]:
    """Address and uid of every TCP listener of a host."""
    lines = root(host, "cat /proc/net/tcp /proc/net/tcp6").splitlines()
    fields = [line.split() for line in lines if " 0A " in line]
    return {(line[1], line[7]) for line in fields}


def of_alice(host: str) -> set[str]:
    return {address for address, uid in listening(host) if uid == str(UID)}


def shown_certificate(port: int) -> str:
    """The fingerprint that a browser would see; empty while nobody answers."""
    with contextlib.suppress(OSError, ssl.SSLError):
        pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=15)
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
        return ":".join(digest[i : i + 2] for i in range(0, 64, 2))
    return ""


@contextmanager
def tunnel(command: str) -> Iterator[pexpect.spawn[str]]:
    """The printed command, typed into a terminal and ended with Ctrl-C."""
    terminal = pexpect.spawn(
        "/bin/sh", ["-c", f"exec {command}"], encoding="utf-8", timeout=60,
        preexec_fn=interruptible,
    )  # fmt: skip
    try:
        yield terminal
    finally:
        end_ssh(terminal)


def led_astray(started: Run, port: int) -> list[str]:
    """Follow what was printed; it is a success of the attack when another server answers."""
    ours, astray = started.printed(r"SHA-256 ([0-9A-F:]{95})"), []
    with tunnel(started.printed(r"^ +(ssh .*)$")) as terminal:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and terminal.isalive():
            shown = shown_certificate(port)
            if shown == ours:
                return []
            if shown:
                astray = [f"the tunnel leads to {shown[:11]}…"]
            time.sleep(0.2)
    return astray if terminal.exitstatus else [*astray, "the tunnel ends without an error"]


def start(port: int, **variables: object) -> Run:
    return done("start", nbserver_local_port=port, **variables)


def default_way(report: Report) -> None:
    """Nothing of ours listens on a TCP port, neither here nor there, while a tunnel is open."""
    port = free_port()
    before = listening("gateway")
    started = start(port)
    with tunnel(started.printed(r"^ +(ssh .*)$")):
        while not shown_certificate(port):
            time.sleep(0.2)
        report.note("listeners on the gateway", *map(str, listening("gateway") - before))
        report.note("listeners on the node", *of_alice("dev1"))
    report.note("listeners after the tunnel", *of_alice("gateway"))


def gateway_ports(report: Report, kinds: tuple[str, ...]) -> None:
    """Somebody holds the ports that the tunnel of the recipe would use, before it is opened."""
    for form in ("jump", "two_hop"):
        for kind in kinds:
            port = free_port()
            server = {"user": "alice", "host": "dev1", "session": "nbserver"}
            with ExitStack() as stack:
                for squatted in (gateway_port(server), port):
                    stack.enter_context(ON_GATEWAY.running("imposter.py", kind, str(squatted)))
                started = start(port, nbserver_tunnel=form)
                found = led_astray(started, port)
            report.note(f"gateway port, {form}, {kind}", *found)


def node_ports(report: Report, kinds: tuple[str, ...]) -> None:
    """The same on the node, for the way of serving over TCP."""
    done("stop")
    for kind in kinds:
        port = free_port()
        with NEIGHBOUR.running("imposter.py", kind, str(PORT)):
            over_tcp = {"nbserver_transport": "tcp", "nbserver_port": PORT}
            started = playbook("start", nbserver_local_port=port, **over_tcp)
            found = led_astray(started, port) if started.code == 0 else refused(started, str(PORT))
            report.note(f"node port, {kind}", *found)
        done("stop")


def refused(run: Run, what: str) -> list[str]:
    """A refusal has to name the thing, and to leave nothing behind."""
    found = [] if what in run.output else [f"the refusal does not name {what}"]
    if "Traceback" in run.output:
        found.append("a traceback")
    ours = root("dev1", f"pgrep -u {UID} -f jupyter || true").split()
    return [*found, *(f"process {pid} is left" for pid in ours)]


def hands(report: Report) -> None:
    """A neighbour tries every door of a running server."""
    start(free_port())
    pid = root("dev1", f"pgrep -u {UID} -f jupyterlab | head -1").strip()
    doors = {
        "list its directory": f"ls {LOCAL}",
        "ask over its socket": f"curl -sk --unix-socket {SOCKET} https://localhost/api",
        "attach to its session": f"tmux -S {LOCAL}/tmux.sock list-sessions",
        "read its environment": f"cat /proc/{pid}/environ",
        "see its open files": f"ls /proc/{pid}/fd/",
        "signal it": f"kill -0 {pid}",
        "read the profile": f"ls {PROFILE}",
        "read the key": f"cat {PROFILE}/security/notebook.key",
        "read the password": f"cat {PROFILE}/jupyter_server_config.json",
        "read the records": f"cat {PROFILE}/run/dev1.json",
        "read the log": f"cat {PROFILE}/log/dev1/server.log",
        "write into its directory": f"touch {LOCAL}/x && rm {LOCAL}/x",
        "write into the profile": f"touch {PROFILE}/x && rm {PROFILE}/x",
        "take its directory away": f"mv {LOCAL} {LOCAL}.old && mv {LOCAL}.old {LOCAL}",
    }
    for door, command in doors.items():
        assert ALICE.run(command).returncode == 0, f"not even its owner can {door}"
        opened = NEIGHBOUR.run(command).returncode == 0
        report.note(f"a neighbour's hands: {door}", *(["it was possible"] if opened else []))


def token_of_alice() -> str:
    return ALICE.says(f"cat {PROFILE}/security/token")


def new_kernel() -> str:
    """A kernel as JupyterLab makes it; gives its connection file."""
    said = ALICE.says(
        f"curl -s --cacert {PROFILE}/security/notebook.crt --unix-socket {SOCKET} "
        f"-H @- -X POST https://localhost/api/kernels -d '{{}}'",
        f"Authorization: token {token_of_alice()}",
    )
    return f"{LOCAL}/runtime/kernel-{json.loads(said)['id']}.json"


@contextmanager
def foreign_kernel() -> Iterator[str]:
    """A kernel of the person's own, started without our launcher, over files all the same."""
    connection = f"{LOCAL}/runtime/kernel-foreign.json"
    ALICE.says(f"rm -f {LOCAL}/runtime/foreign* {connection}")
    ALICE.says(
        f"JUPYTER_RUNTIME_DIR={LOCAL}/runtime setsid -f {PYTHON} -m ipykernel_launcher"
        f" -f {connection} --transport=ipc --ip={LOCAL}/runtime/foreign"
        " >/dev/null 2>&1 </dev/null; "
        f"for i in $(seq 300); do [ -s {connection} ] && exit; sleep 0.1; done; exit 1"
    )
    yield connection
    root("dev1", f"pkill -9 -u {UID} -f 'ipykernel_launcher -f {connection}'")


def kernels(report: Report, rounds: int) -> None:
    """Code and output flow through our kernel while somebody listens on every port of the node."""
    start(free_port())
    heard, printed, forged = overheard(new_kernel(), rounds)
    report.heard += heard["bytes"]
    report.rounds += heard["rounds"]
    report.note("ports of our kernel", *map(str, heard["ports"]))
    report.note("sockets of our kernel", *heard["sockets"])
    report.note("what our kernel lets be read", *([str(heard["bytes"])] if heard["bytes"] else []))
    report.note("what our kernel lets be said", *(["a forged line"] if forged else []))
    assert printed > rounds, f"the kernel printed {printed} lines only: nothing to read"


def kernels_of_others(report: Report, rounds: int) -> None:
    """A kernel without our launcher keeps ipykernel's port for what forked processes print.

    Nothing can be read there. A neighbour can make a line of noise appear; that is documented.
    """
    start(free_port())
    with foreign_kernel() as connection:
        heard, _printed, noise = overheard(connection, rounds)
        report.heard += heard["bytes"]
        report.rounds += heard["rounds"]
        assert heard["ports"], "ipykernel opens no port any more: our launcher can be retired"
        assert noise, "the forged line was not noticed: this shows nothing about our own kernel"
        report.note(
            "what others' kernels let be read", *([str(heard["bytes"])] if heard["bytes"] else [])
        )


def overheard(connection: str, rounds: int) -> tuple[dict[str, Any], int, bool]:
    """Let a kernel talk, and a neighbour listen and speak: what came of both."""
    with ALICE.running("victim.py", connection, str(5 + rounds), CANARY) as victim:
        spy = NEIGHBOUR.begin("eavesdropper.py", str(rounds), str(UID))
        heard = json.loads(spy.communicate()[0])
        printed, forked, forged = victim.rest().split()
    assert forked == "True", "what forked processes print is lost"
    return heard, int(printed), forged == "True"


def debuggers(report: Report) -> None:
    """The port of debugpy runs code for whoever comes; so there must be none."""
    start(free_port())
    ran, _said = debugged(new_kernel())
    report.note("code run through the debugger", *ran)
    with foreign_kernel() as connection:
        ran, said = debugged(connection)
        assert said == "debugged"
        assert ran == ["uid=1001(alice)"], (
            "the attack does not work where it could: it shows nothing"
        )


def debugged(connection: str) -> tuple[list[str], str]:
    """Open and close the debugger on a kernel, then let a neighbour try its port."""
    with ALICE.running("debugged.py", connection) as victim:
        attack = NEIGHBOUR.begin("debug_attacker.py", str(UID))
        answers = json.loads(attack.communicate()[0])
    return [said for said in answers.values() if said], victim.said


# The subjects of the attacks on playbooks; each has a short form.
PLAYBOOKS = (
    names_below_tmp, names_of_old, names_seen, prefixes, words, cluster_view, cluster_view_in_a_job,
    computer, names_of_the_computer, directory_of_the_controller, swept_runtime,
    temporary_directory, jobs,
)  # fmt: skip


def attacks(*, short: bool) -> list[Callable[[Report], None]]:
    kinds = ("IPv4", "IPv6", "both") if short else KINDS
    return [
        default_way, partial(gateway_ports, kinds=kinds), partial(node_ports, kinds=kinds),
        hands, partial(kernels, rounds=20),
        partial(kernels_of_others, rounds=20), debuggers,
        *(partial(subject, short=short) for subject in PLAYBOOKS),
    ]  # fmt: skip


def name_of(attack: Callable[[Report], None]) -> str:
    """What an attack is called, with or without fixed arguments."""
    return str(getattr(attack, "func", attack).__name__)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="only the plainest kinds of a port")
    parser.add_argument("--only", help="only the attacks whose name contains this")
    options = parser.parse_args()
    subprocess.run([*CLUSTER, "up"], check=True)
    done("setup")
    report, began = Report(), time.monotonic()
    chosen = [each for each in attacks(short=options.short) if asked(options.only, each)]
    broken = [name_of(each) for each in chosen if not carried_out(each, report)]
    done("stop")
    print("", *report.table(), "", report, sep="\n")
    print(f"    in {time.monotonic() - began:.0f} s")
    missing = [] if options.only else report.unattacked
    faults = {"succeeded": report.successes, "broke off": broken, "not attacked": missing}
    for what, which in faults.items():
        print("".join(f"    {what}: {each}\n" for each in which), end="")
    return 1 if any(faults.values()) else 0


def asked(only: str | None, attack: Callable[[Report], None]) -> bool:
    return bool(re.search(only or "", name_of(attack)))


def carried_out(attack: Callable[[Report], None], report: Report) -> bool:
    """Whether an attack came to its end; the others go on when not."""
    began = time.monotonic()
    try:
        attack(report)
    except Exception:
        traceback.print_exc()
        return False
    finally:
        print(f"  {name_of(attack)}: {time.monotonic() - began:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())

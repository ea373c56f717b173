"""The test cluster: a gateway, two nodes behind it, two compute nodes, a mirror; in containers.

cluster.py up                    bring it up; nothing to do when it is up and healthy
cluster.py images                build the images of the Debian releases that tests need, at once
cluster.py down [--images]       remove all of it, with --images the images, too
cluster.py status                say whether it is up
cluster.py gridengine            start Grid Engine beside Slurm; returns when it takes jobs
cluster.py reset ACCOUNT...      give accounts a new, empty home and end their processes
cluster.py root HOST [COMMAND]   a root shell on a host, for tests that break things
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial

import identity
import images
import render
from engine import CONFIGURATION, ClusterError, Engine
from topology import (
    ACCOUNTS,
    COMPUTE,
    GATEWAY,
    GRIDENGINE,
    HERE,
    HOME,
    HOSTS,
    INNER,
    MIRROR,
    MIRROR_PORT,
    OUTER,
    PREFIX,
    SSH_HOSTS,
    SSH_PORT,
    STATE,
    TESTED,
    Host,
    address,
    subnets,
)

STARTED = time.monotonic()
# A machine that is busy with other tests takes its time.
READY_WITHIN = 120
# Every job of an account, of both schedulers; Grid Engine may not be there.
CANCEL = """scancel --user {account} && {{
pgrep -x sge_qmaster && /opt/gridengine/bin/qdel -u {account}; true; }} > /dev/null"""


def say(text: str) -> None:
    """A line for the person at the terminal, with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def free_port(wanted: int) -> int:
    """The wanted port of the loopback address, or another when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            port = int(probe.getsockname()[1])
        if is_refused(port):
            return port
    raise ClusterError("no free port on 127.0.0.1")


def is_refused(port: int) -> bool:
    """Whether nobody takes what is sent there; a forgotten container leaves a rule that does."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def make_networks(engine: Engine) -> str:
    """The outer network, and the inner one without a route out; gives the inner subnet."""
    engine.call("network", "create", OUTER)
    for subnet in subnets():
        if engine.succeeds("network", "create", "--internal", "--subnet", subnet, INNER):
            return subnet
    raise ClusterError(f"no free subnet for the network {INNER} among {', '.join(subnets())}")


def create_container(engine: Engine, host: Host, subnet: str, port: int) -> None:
    """One host, not yet started. Published ports need the outer network, which then comes first."""
    place = ["--ip", address(subnet, host), INNER]
    outside = ["--network", OUTER, "--publish", f"127.0.0.1:{port}:{host.published}"]
    inside = ["--network", INNER, "--ip", address(subnet, host)]
    names = [
        f"--add-host={other.name}:{address(subnet, other)}" for other in HOSTS if other != host
    ]
    sources = "ALL" if host.open_to_all else render.logins_from(subnet)
    settings = ["--env", f"HPCC_SERVICES={host.services}", "--env", f"HPCC_LOGINS_FROM={sources}"]
    files = f"{identity.hosts_directory(STATE, host.name)}:/run/cluster:ro"
    volumes = ["--volume", files, *(["--volume", f"{HOME}:/home"] if host.runs_sshd else [])]
    engine.call(
        "create", "--name", host.container, "--hostname", host.name,
        "--security-opt", "label=disable", *(outside if host.published else inside),
        *names, *settings, *volumes, images.name(host.image),
    )  # fmt: skip
    if host.published:
        engine.call("network", "connect", *place, host.container)
    engine.call("start", host.container)


def start_containers(engine: Engine, subnet: str) -> dict[str, int]:
    """All hosts, the gateway first because it makes the homes; gives the published ports."""
    ports = {GATEWAY.name: free_port(SSH_PORT), MIRROR.name: free_port(MIRROR_PORT)}
    create_container(engine, GATEWAY, subnet, ports[GATEWAY.name])
    with ThreadPoolExecutor() as pool:
        others = [host for host in HOSTS if host != GATEWAY]
        list(
            pool.map(
                lambda host: create_container(engine, host, subnet, ports.get(host.name, 0)), others
            )
        )
    return ports


def write_state(engine: Engine, ports: dict[str, int]) -> None:
    """What people and tests read."""
    sums = engine.call("exec", MIRROR.container, "cat", "/srv/mirror/installers/SHA256SUMS")
    found = render.installers(sums.splitlines(), ports[MIRROR.name])
    (STATE / "installer.json").write_text(render.installer_json(found), encoding="utf-8")
    (STATE / "inventory.ini").write_text(
        render.inventory(STATE, found[min(found)]), encoding="utf-8"
    )
    config = render.ssh_config(STATE, ports[GATEWAY.name])
    (STATE / "ssh_config").write_text(config, encoding="utf-8")


def ssh(host: str, command: str) -> str | None:
    """What a command says on a host as alice, or None when it failed."""
    argv = ["ssh", "-F", str(STATE / "ssh_config"), f"alice@{host}", command]
    result = subprocess.run(
        argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    return result.stdout if result.returncode == 0 else None


def why_unreachable() -> str | None:
    """The hosts that do not answer, asked all at once."""
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda host: ssh(host.name, "true"), SSH_HOSTS))
    silent = [host.name for host, answer in zip(SSH_HOSTS, answers, strict=True) if answer is None]
    return f"no ssh to {', '.join(silent)}" if silent else None


def why_not_ready() -> str | None:
    """The first thing that does not work yet."""
    if reason := why_unreachable():
        return reason
    nodes = ssh(GATEWAY.name, "sinfo --noheader --format=%t:%D")
    return None if nodes == "idle:2\n" else f"sinfo says {(nodes or 'nothing').strip()!r}"


def wait_until_ready() -> None:
    """Until every host answers through the gateway and Slurm has its nodes."""
    deadline = time.monotonic() + READY_WITHIN
    while reason := why_not_ready():
        if time.monotonic() > deadline:
            raise ClusterError(f"the cluster is not ready after {READY_WITHIN} s: {reason}")
        time.sleep(0.3)


def why_not_up(engine: Engine) -> str | None:
    """Why the cluster, as it is, cannot be used; cheap questions first."""
    if not (STATE / "ssh_config").exists():
        return f"{STATE} has no ssh_config"
    containers, running = engine.containers(PREFIX), engine.running(PREFIX)
    for host in HOSTS:
        if containers.get(host.container) != images.name(host.image):
            return f"{host.container} is missing or of another image"
        if host.container not in running:
            return f"{host.container} has stopped"
    return why_unreachable()


def remove_containers(engine: Engine) -> None:
    """Containers, networks, and the volume of the homes."""
    ours = {host.container for host in HOSTS}
    found = sorted(ours.intersection(engine.containers(PREFIX)))
    if found:
        engine.call("rm", "--force", "--volumes", *found)
    for network in (INNER, OUTER):
        if engine.succeeds("network", "inspect", network):
            engine.call("network", "rm", network)
    if engine.succeeds("volume", "inspect", HOME):
        engine.call("volume", "rm", HOME)


def remove_state() -> None:
    """Everything in the state directory but the engine's configuration and the build's log."""
    for directory in ("hosts", "cp"):
        shutil.rmtree(STATE / directory, ignore_errors=True)
    for stale in STATE.glob("*"):
        if stale.name not in (CONFIGURATION, images.LOG):
            stale.unlink()
    STATE.mkdir(mode=0o700, exist_ok=True)


def once_more(work: Callable[[], None]) -> None:
    """A second attempt when a download or a host fails."""
    try:
        work()
    except ClusterError as error:
        say(f"once more, because of this: {error}")
        work()


def up(engine: Engine, _each: argparse.Namespace) -> int:
    """Everything from whatever is there."""
    once_more(partial(bring_up, engine))
    return 0


def bring_up(engine: Engine) -> None:
    """The same, or say what failed."""
    images.build(engine, say)
    reason = why_not_up(engine)
    if reason is None:
        say(f"the test cluster is up already: ssh -F {STATE}/ssh_config alice@dev1")
        return
    remove_containers(engine)
    images.remove_outdated(engine)
    remove_state()
    say("starting the hosts: " + " ".join(host.name for host in HOSTS))
    subnet = make_networks(engine)
    identity.create(STATE, subnet)
    write_state(engine, start_containers(engine, subnet))
    wait_until_ready()
    say(f"the test cluster is up: ssh -F {STATE}/ssh_config alice@dev1")


def build_all(_engine: Engine, _each: argparse.Namespace) -> int:
    """The images of each release that `make test` needs: a build alone waits half of its time."""
    command = [sys.executable, __file__, "build"]
    builds = [
        subprocess.Popen(command, env={**os.environ, "HPCC_NOTEBOOK_DEBIAN": release})
        for release in TESTED
    ]
    return max(build.wait() for build in builds)


def build_these(engine: Engine, _each: argparse.Namespace) -> int:
    """Those of this release."""
    once_more(partial(images.build, engine, say))
    return 0


def down(engine: Engine, options: argparse.Namespace) -> int:
    """Everything that `up` made; the images stay unless told."""
    remove_containers(engine)
    if options.images:
        images.remove(engine)
    shutil.rmtree(STATE, ignore_errors=True)
    say("the test cluster is gone" + (", and its images" if options.images else ""))
    return 0


def status(engine: Engine, _each: argparse.Namespace) -> int:
    """Exit 0 when it is up."""
    reason = why_not_up(engine)
    say("up" if reason is None else f"not up: {reason}")
    return 0 if reason is None else 1


def start_gridengine(engine: Engine, part: str, host: Host) -> None:
    """A host's part of Grid Engine; returns when it works."""
    engine.call("exec", host.container, GRIDENGINE, part)


def gridengine(engine: Engine, _each: argparse.Namespace) -> int:
    """Grid Engine on demand, so that those who only want Slurm neither wait nor pay for it."""
    start = partial(start_gridengine, engine)
    start("master", GATEWAY)
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(start, "execd"), COMPUTE))
    say("Grid Engine takes jobs: module load gridengine")
    return 0


def clean_host(engine: Engine, account: str, host: Host) -> None:
    """End the account's processes on a host and remove its temporary files."""
    command = f"pkill -9 -u {account}; find /tmp /dev/shm -xdev -user {account} -delete; true"
    engine.call("exec", host.container, "sh", "-c", command)


ASIDE = "mkdir -pm 700 /home/.aside && mv /home/{account} $(mktemp -d /home/.aside/XXXXXX)"


def reset(engine: Engine, options: argparse.Namespace) -> int:
    """Fresh accounts: no processes, jobs, temporary files; the home as on the first day.

    Where times are measured, the old home is only put aside: for minutes after many files were
    deleted, ext4 looks for numbers of new ones that were not in use a moment ago.
    """
    remove = ASIDE if options.aside else "rm -rf /home/{account}"
    for account in options.accounts:
        engine.call("exec", GATEWAY.container, "sh", "-c", CANCEL.format(account=account))
        with ThreadPoolExecutor() as pool:
            list(pool.map(partial(clean_host, engine, account), SSH_HOSTS))
        again = f"{remove} && /usr/local/sbin/start-host homes".format(account=account)
        engine.call("exec", GATEWAY.container, "sh", "-c", again)
        say(f"{account} is as on the first day")
    return 0


def root(engine: Engine, options: argparse.Namespace) -> int:
    """A command as root, on this terminal."""
    terminal = ["--tty"] if sys.stdin.isatty() else []
    command = options.command or ["bash", "-l"]
    more = ["--privileged"] if options.privileged else []
    words = ["exec", "--interactive", *terminal, *more, f"{PREFIX}-{options.host}"]
    return engine.attach(*words, *command)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(changes=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("up").set_defaults(run=up, changes=True)
    commands.add_parser("images").set_defaults(run=build_all)
    commands.add_parser("build").set_defaults(run=build_these)
    removal = commands.add_parser("down")
    removal.add_argument("--images", action="store_true")
    removal.set_defaults(run=down, changes=True)
    commands.add_parser("status").set_defaults(run=status)
    commands.add_parser("gridengine").set_defaults(run=gridengine, changes=True)
    again = commands.add_parser("reset")
    again.add_argument("--aside", action="store_true", help="keep the old homes until `down`")
    again.add_argument("accounts", nargs="+", choices=ACCOUNTS, metavar="ACCOUNT")
    again.set_defaults(run=reset)
    shell = commands.add_parser("root")
    shell.add_argument("--privileged", action="store_true", help="may mount file systems")
    shell.add_argument("host", choices=[host.name for host in HOSTS])
    shell.add_argument("command", nargs=argparse.REMAINDER)
    shell.set_defaults(run=root)
    return parser.parse_args()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two runs that change the cluster wait for one another."""
    lock = os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def main() -> int:
    """Run one command."""
    options = parse_arguments()
    try:
        with one_at_a_time() if options.changes else nullcontext():
            return int(options.run(Engine(STATE), options))
    except ClusterError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""What a stranger can have shown to the victim: argv, locks, links, names, records, banners.

Each carrier holds every control character at once, and lines that look like answers of a node.
Success is a control character on the terminal, a forged answer that is believed, or, where the
words are nobody's business, a playbook that does not do its work.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from people import done, root
from report import Report

from attacks.planted_names import unworkable
from attacks.scene import NODE, REAL, STRANGER, VICTIM, set_up
from attacks.screen import CONTROL, WORD, play

CONTROLS = {
    "a title by OSC": "\x1b]0;",
    "a cleared screen by CSI": "\x1b[2J",
    "CSI of C1": "\u009b2J",
    "a carriage return": "\r",
    "backspaces": "\b\b",
    "a form feed": "\f",
    "a vertical tab": "\v",
    "a file separator": "\x1c",
    "DEL": "\x7f",
    "a line separator": "\u2028",
    "a next line": "\x85",
    "a right-to-left override": "\u202e",
}
ANSWERS = (
    "held=elsewhere", "holder=user=forger host=forger pid=1 since=forger", "error=forged error",
    "python=/tmp/forged", "hpcc-end",
)  # fmt: skip
LINE_ENDS = ("\f", "\r", "\x1c", "\u2028")
OBEYED = "".join(f"{control}{WORD}" for control in CONTROLS.values())
TEXT = OBEYED + "".join(f"{end}{answer}" for end in LINE_ENDS for answer in ANSWERS)
LINES = "".join(f"\n{answer}" for answer in ANSWERS)
BELIEVED = re.compile(r"forger on forger|(?<!error=)forged error|(?<!python=)/tmp/forged")
STORE = "/srv/hijack/words"
PREFIX = f"{STORE}/anaconda"
MODULES = "/opt/site/modulefiles/hijack"
GATEWAY, BANNER = "gateway", "/etc/ssh/hijack-banner"
EVERY = (
    "doctor", "setup --check", "setup", "start", "status", "connect --check", "open --check",
    "restart", "parallel", "teardown --check", "stop",
)  # fmt: skip
Planted = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Carrier:
    """One place for words: how they get there, who shows them raw, who is attacked by them."""

    called: str
    planted: Planted
    careless: str
    playbooks: tuple[str, ...]
    variables: tuple[tuple[str, object], ...] = ()
    may_refuse: bool = False


def words(report: Report, *, short: bool = False) -> None:
    """Every carrier under every playbook that may show it."""
    done("setup")
    set_up()
    for carrier in CARRIERS:
        with carrier.planted():
            shown = VICTIM.run(carrier.careless).stdout
            assert set(CONTROL.findall(TEXT)) <= set(CONTROL.findall(shown)), carrier.called
            for line in carrier.playbooks[:1] if short else carrier.playbooks:
                _attacked(report, carrier, line)
    done("setup")  # the last of them has removed the installation


def _attacked(report: Report, carrier: Carrier, line: str) -> None:
    screen = play(*line.split(), **dict(carrier.variables))
    for control, text in CONTROLS.items():
        reached = f"{text}{WORD}" in screen.raw
        found = ["it was obeyed"] if reached else []
        report.note(
            f"{control} in {carrier.called}", *found, what=f"words in {carrier.called}", line=line
        )
    believed = BELIEVED.search(screen.raw)
    found = [f"believed: {believed[0]}"] if believed else []
    blocked = unworkable(screen, may_fail=line == "doctor")
    ended = screen.code is None if carrier.may_refuse else blocked
    report.note(
        f"answers in {carrier.called}", *found, *(["blocked"] if ended else []),
        what=f"words in {carrier.called}", line=line,
    )  # fmt: skip


@contextmanager
def _argv() -> Iterator[None]:
    """A process of the stranger whose name says that it runs from the victim's installation."""
    argv = f"/home/alice/anaconda/bin/python {TEXT}{LINES}"
    pid = STRANGER.says(
        f"setsid bash -c 'exec -a \"$0\" sleep 900' {shlex.quote(argv)} >/dev/null 2>&1 & echo $!"
    )
    try:
        yield
    finally:
        STRANGER.run(f"kill {pid}")


def _in_store(command: str) -> Planted:
    """Something of the stranger's at a prefix in a directory for all."""

    @contextmanager
    def planted() -> Iterator[None]:
        root(NODE, f"rm -rf {STORE}; install -d -m 1777 {STORE}")
        text = f"set -e; umask 022; P={PREFIX} T={shlex.quote(TEXT)} L={shlex.quote(LINES)}; "
        STRANGER.says(f"{text}mkdir -p $P.d/markers $P.d/downloads; {command}")
        try:
            yield
        finally:
            root(NODE, f"rm -rf {STORE}")

    return planted


def _module(*, from_load: int) -> Planted:
    """A module of the site that speaks and fails: when it is tried, or only as the server starts.

    The first reaches an error as what `module load` said, the second as the end of the log.
    """
    program = f"""
        local loads = io.open("{STORE}/loads", "a"); loads:write("x"); loads:close()
        local count = #io.open("{STORE}/loads"):read("*a")
        if mode() == "load" and count >= {from_load} then
            io.stderr:write(io.open("{STORE}/text"):read("*a")); LmodError("no")
        end"""

    @contextmanager
    def planted() -> Iterator[None]:
        text, lua = shlex.quote(TEXT + LINES), shlex.quote(program)
        root(
            NODE,
            f"install -d -m 1777 {STORE} && install -d {MODULES} && "
            f"printf %s {text} >{STORE}/text && printf %s {lua} >{MODULES}/1.0.lua && "
            f": >{STORE}/loads && chmod 666 {STORE}/loads",
        )
        try:
            yield
        finally:
            root(NODE, f"rm -rf {STORE} {MODULES}")

    return planted


def _of_victim(command: str, undo: str) -> Planted:
    """Something that comes into the victim's own home from elsewhere."""

    @contextmanager
    def planted() -> Iterator[None]:
        VICTIM.says(f"set -e; T={shlex.quote(TEXT)} L={shlex.quote(LINES)}; {command}")
        try:
            yield
        finally:
            VICTIM.says(undo)

    return planted


@contextmanager
def _banner() -> Iterator[None]:
    """What sshd of gateway and node say before and after a login; ssh prints the first."""
    text, sshd = shlex.quote(f"{TEXT}{LINES}\n"), "/etc/ssh/sshd_config"
    begin = (
        f"printf %s {text} | tee {BANNER} >/etc/motd; cp {sshd} {sshd}.kept; "
        f"sed -i '/^PrintMotd/d; 1i PrintMotd yes\\nBanner {BANNER}' {sshd}; kill -HUP 1"
    )
    end = f"mv {sshd}.kept {sshd}; : >/etc/motd; rm -f {BANNER}; kill -HUP 1"
    try:
        for host in (GATEWAY, NODE):
            root(host, begin)
        yield
    finally:
        for host in (GATEWAY, NODE):
            root(host, end)


_RECORD = """
import json, sys
name, text = sys.argv[1:]
record = {"schema": 2, "host": name, "boot_id": text, "pid": 1, "start_time": 1,
          "since": "2026-01-01T00:00:00Z" + text, "session": text, "frontend": "lab",
          "version": text, "transport": "socket", "port": 8888, "socket": "/tmp/" + text,
          "certificate_sha256": text}
open(f".ipython/profile_nbserver/run/{name}.json", "w").write(json.dumps(record))
"""
RUN = ".ipython/profile_nbserver/run"
FOREIGN = (
    ("anaconda_prefix", PREFIX), ("teardown_confirmed", True),
    ("teardown_parts", ["installation"]),
)  # fmt: skip
SHARED_PREFIX = (
    "setup --check", "setup", "doctor", "start", "status", "restart", "parallel", "stop",
    "teardown --check", "teardown",
)  # fmt: skip
CARRIERS = (
    Carrier(
        "a neighbour's lock",
        _in_store(
            'ln -s "run=1 host=$T boot=1 pid=1 group=1 start=1 uid=1 user=$T since=$T" $P.d/lock'
        ),
        f"readlink {PREFIX}.d/lock", SHARED_PREFIX, FOREIGN, may_refuse=True,
    ),
    Carrier(
        "a neighbour's link", _in_store('ln -s "$T$L" $P'), f"readlink {PREFIX}", SHARED_PREFIX,
        FOREIGN, may_refuse=True,
    ),
    Carrier(
        "names in a neighbour's store",
        _in_store(
            'N=$(printf %s "$T$L" | tr -d / | head -c 200); M=$(printf %s "$T" | tail -c +90 | '
            'tr -d /| head -c 200); : >"$P.d/markers/$N"; : >"$P.d/$N"; : >"$P.d/downloads/$N.sh"; '
            'printf %s "$T" >$P.d/all'
        ),
        f"cat {PREFIX}.d/all; ls {PREFIX}.d/markers", SHARED_PREFIX, FOREIGN, may_refuse=True,
    ),
    Carrier(
        "a neighbour's marker",
        _in_store(
            'G=miniforge-1.0-123456789012; mkdir -p $P.d/$G/bin; cp /bin/true $P.d/$G/bin/python; '
            'printf %s "schema=1 distribution=$T version=$T sha256=$T path=$P.d/$G url=$T$L" '
            '>$P.d/markers/$G; ln -s anaconda.d/$G $P; printf %s "$T" >$P.d/markers/.turn; '
            'printf %s "$T" >$P.d/markers/.changing-$G'
        ),
        f"cat {PREFIX}.d/markers/.turn", SHARED_PREFIX, FOREIGN, may_refuse=True,
    ),
    Carrier(
        "another node's record",
        _of_victim(
            f"umask 077; mkdir -p ~/{RUN}; "
            f'{REAL} -c {shlex.quote(_RECORD)} {shlex.quote("else" + OBEYED)} "$T$L"; '
            'printf %s "$T$L" >~/canary/raw',
            f"rm -f ~/{RUN}/else*",
        ),
        "cat ~/canary/raw",
        (
            "status", "doctor", "start", "connect --check", "open --check", "restart", "stop",
            "setup --check", "setup", "parallel", "teardown --check",
        ),
        may_refuse=True,
    ),
    Carrier(
        "the words of a module", _module(from_load=1), f"cat {STORE}/text", ("restart",),
        (("nbserver_modules", ["hijack/1.0"]),), may_refuse=True,
    ),
    Carrier(
        "the server's log", _module(from_load=2), f"cat {STORE}/text", ("restart",),
        (("nbserver_modules", ["hijack/1.0"]),), may_refuse=True,
    ),
    Carrier(
        "a login file",
        _of_victim(
            'cp ~/.bashrc ~/canary/bashrc; printf %s "$T$L" >~/canary/raw; '
            "{ echo 'cat ~/canary/raw; cat ~/canary/raw >&2'; cat ~/canary/bashrc; } >~/.bashrc",
            "cat ~/canary/bashrc >~/.bashrc",
        ),
        "cat ~/canary/raw", EVERY,
    ),
    Carrier("a banner of sshd", _banner, f"cat {BANNER}", EVERY),
    Carrier(
        "a neighbour's argv", _argv, "cat /proc/[0-9]*/cmdline",
        (*EVERY, "teardown"),
        (("teardown_confirmed", True), ("teardown_parts", ["installation"])),
    ),
)  # fmt: skip

"""A sweep of /tmp took the runtime directory from under a living server, and somebody was quick.

The stranger makes it anew, open to all, with sockets that speak tmux' protocol, and swaps every
connection file that appears there for her own, whose key she knows.
"""

from __future__ import annotations

import json

from people import done, root
from report import Report

from attacks.names import SEEN_PATTERN
from attacks.planted_names import unworkable
from attacks.scene import LOCAL, NODE, STRANGER, UID, VICTIM, evidence, planted, set_up
from attacks.screen import play

PORT = 18889
PROFILE = "~/.ipython/profile_nbserver"
KIND = "a directory with sockets"
PLAYBOOKS = ("doctor", "status", "start", "connect --check", "restart", "stop")


def swept_runtime(report: Report, *, short: bool = False) -> None:
    """Every playbook, and a new kernel, while the directory is the stranger's."""
    done("setup")
    set_up()
    for line in PLAYBOOKS[-2:] if short else PLAYBOOKS:
        _under_a_living_server(report, line)
    _new_kernel(report)


def _under_a_living_server(report: Report, line: str) -> None:
    done("start")
    root(NODE, f"rm -rf {LOCAL}")
    with planted([(KIND, LOCAL, "swept")]):
        screen = play(*line.split())
        blocked = line in ("stop", "status") and unworkable(screen, line)
        left = root(NODE, f"pgrep -u {UID} -f jupyterlab || true") if line == "stop" else ""
        astray = screen.code == 0 and f":{LOCAL}/notebook.sock" in screen.raw
        report.note(
            f"{KIND} under a living server, {line}", *evidence(LOCAL), *(blocked or []),
            *(["the server goes on after stop"] if left else []),
            *(["the printed tunnel leads to the stranger"] if astray else []),
        )  # fmt: skip
    _end()


def _new_kernel(report: Report) -> None:
    """Reached over TCP, the server goes on, and starts kernels in what the stranger has made."""
    done("start", nbserver_transport="tcp", nbserver_port=PORT)
    _require_dangerous()
    root(NODE, f"rm -rf {LOCAL}")
    with STRANGER.running("attacks/swapper.py", f"{LOCAL}/runtime") as swapper:
        asked = VICTIM.run(
            f"curl -s --cacert {PROFILE}/security/notebook.crt -H @- -X POST "
            f"https://localhost:{PORT}/api/kernels -d '{{}}'; sleep 8",
            f"Authorization: token {VICTIM.says(f'cat {PROFILE}/security/token')}",
        )
        told = json.loads(swapper.rest())
    report.note(
        "a swapped connection file", *(["a kernel was told a stranger's key"] * told["swapped"])
    )
    assert asked.stdout, "the server did not answer at all: this shows nothing"
    _end()


def _require_dangerous() -> None:
    """Who writes a file into a directory of the stranger's finds hers there."""
    careless = "/tmp/careless/runtime"
    with STRANGER.running("attacks/swapper.py", careless) as swapper:
        VICTIM.says(f"umask 077; echo '{{}}' >{careless}/kernel-0.json; sleep 1")
        swapped = json.loads(swapper.rest())["swapped"]
    root(NODE, "rm -rf /tmp/careless")
    assert swapped, "the attack does not work where it could"


def _end() -> None:
    """Whatever became of it."""
    root(
        NODE,
        f"pkill -KILL -u {UID} -f 'jupyterlab|ipykernel' || true; rm -rf {LOCAL} {SEEN_PATTERN}",
    )
    VICTIM.says(f"rm -f {PROFILE}/run/*.json")

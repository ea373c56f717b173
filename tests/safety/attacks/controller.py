"""A second user of the victim's own computer, who tries all that the playbooks open there.

The victim is an ordinary user of this machine, with a home that everybody may look into. A port
that leads to a socket of the node would make the neighbour the victim there.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from people import CHECKOUT, PASSWORD, SAFETY, STATE, done
from report import Report

from attacks.scene import LOCAL, NODE

sys.path.append(str(SAFETY.parent / "support"))
import servers

VICTIM, STRANGER = 65534, 1  # both have a name on every system, which ssh asks for
PLAYBOOKS = (
    "doctor", "connect", "open", "start", "status", "setup --check", "setup", "restart", "parallel",
    "teardown --check", "stop",
)  # fmt: skip
STAYING = ("connect", "open")  # these hold the tunnel until they are ended
HELD = 12  # seconds for which they may
PATIENCE = 400  # seconds for any other; a busy machine needs some of them


@dataclass(frozen=True)
class Desk:
    """The victim's computer: a home, a Python, and the way to the cluster."""

    home: Path
    python: str
    port: int

    def argv(self, *command: str, uid: int = VICTIM) -> list[str]:
        reachable = str(CHECKOUT / "tests" / "reachable.sh")
        become = [reachable, "setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        given = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        }
        return [*become, "env", "-i", *(f"{name}={text}" for name, text in given.items()), *command]

    def ssh(self, *more: str) -> list[str]:
        return self.argv("ssh", "-F", str(self.home / "cluster" / "ssh_config"), *more)

    def playbook(self, line: str) -> list[str]:
        name, *options = line.split()
        return self.argv(
            self.python, "-m", "ansible.cli.playbook", str(CHECKOUT / "playbooks" / f"{name}.yml"),
            "-i", str(self.home / "cluster" / "inventory.ini"),
            "-e", f"@{self.home}/variables.json", *options,
        )  # fmt: skip


def computer(report: Report, *, short: bool = False) -> None:
    """The neighbour at every playbook; first at a port as it was once opened."""
    if os.geteuid() != 0:
        print("    the person's own computer: not attacked, since this is not root")
        return
    done("setup")
    done("stop")  # whatever an attack before this one has made of it
    done("start")
    with a_desk() as desk:
        _require_dangerous(desk)
        for line in PLAYBOOKS[:2] if short else PLAYBOOKS:
            ended, let_in = _watched(desk, desk.playbook(line))
            assert ended == 0 or line in STAYING, f"{line} ended with {ended}"
            report.note("a neighbour on the person's computer", *let_in, line=line)


def _require_dangerous(desk: Desk) -> None:
    """A port that leads to tmux on the node lets everybody in, and so does an open socket."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    open_to_all = str(desk.home / "open.sock")
    forwards = [
        "-L",
        f"127.0.0.1:{port}:{LOCAL}/tmux.sock",
        "-L",
        f"{open_to_all}:{LOCAL}/tmux.sock",
    ]
    more = ["-o", "StreamLocalBindMask=0111", *forwards, f"alice@{NODE}", "sleep 5"]
    _ended, let_in = _watched(desk, desk.ssh(*more))
    assert {f"port {port}", open_to_all} <= set(let_in), f"the attack does not work: {let_in}"
    Path(open_to_all).unlink(missing_ok=True)


def _watched(desk: Desk, argv: list[str]) -> tuple[int, list[str]]:
    """What a run lets the neighbour into; one that would go on for ever is ended as by Ctrl-C."""
    spy = subprocess.Popen(
        desk.argv(
            desk.python, str(SAFETY / "attacks" / "spy.py"),
            str(VICTIM), str(desk.port), str(desk.home), PASSWORD, uid=STRANGER,
        ),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT,
    )  # fmt: skip
    assert spy.stdout
    assert spy.stdout.readline() == "ready\n"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = subprocess.Popen(argv, stdin=subprocess.DEVNULL, cwd=CHECKOUT, **quiet)
    try:
        stays = any(Path(word).stem in STAYING for word in argv if word.endswith(".yml"))
        run.wait(HELD if stays else PATIENCE)
    except subprocess.TimeoutExpired:
        run.terminate()
        run.wait(30)
    let_in: list[str] = json.loads(spy.communicate("")[0])
    return run.returncode, let_in


@contextmanager
def a_desk() -> Iterator[Desk]:
    with servers.python_for_everybody() as python, tempfile.TemporaryDirectory(dir="/tmp") as name:
        home = Path(name)
        home.chmod(0o755)
        _furnish(home)
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            port = int(trial.getsockname()[1])
        variables = {"nbserver_profile_password": PASSWORD, "nbserver_local_port": port}
        _private(home / "variables.json", json.dumps(variables))
        os.chown(home / "variables.json", VICTIM, VICTIM)
        yield Desk(home, python, port)


def _furnish(home: Path) -> None:
    """What the victim needs of .cluster, with the victim's own paths in it."""
    os.chown(home, VICTIM, VICTIM)
    cluster = home / "cluster"
    cluster.mkdir(mode=0o700)
    for file in ("ssh_config", "id_ed25519", "known_hosts", "inventory.ini"):
        text = (STATE / file).read_text()
        _private(cluster / file, text.replace(str(STATE), str(cluster)))
    for path in (cluster, *cluster.iterdir()):
        os.chown(path, VICTIM, VICTIM)


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)

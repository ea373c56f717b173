"""A sweep of /tmp took the runtime directory from under a living server, and somebody was quick.

The stranger makes it anew, open to all, with sockets that speak tmux' protocol, and swaps every
connection file that appears there for her own, whose key she knows.
"""

from __future__ import annotations

import json
from typing import Any

from people import done, root
from report import Report

from attacks.names import SEEN_PATTERN
from attacks.planted_names import REMOVED, unworkable
from attacks.scene import LOCAL, NODE, STRANGER, UID, VICTIM, evidence, planted, set_up
from attacks.screen import play

PORT = 18889
PROFILE = "~/.ipython/profile_nbserver"
KIND = "a directory with sockets"
CONFIG = f"{PROFILE}/jupyter_server_config.py"
LAUNCHER = f"{PROFILE}/jupyter/kernels/python3/launch.py"
CANARY = "canary-of-a-cell-5e77"
ATTEMPTS = 8
KERNELS = (
    "a swapped connection file of the next kernel", "the sockets of a kernel that lives",
    "the directory that the next kernel is told of",
)  # fmt: skip
# Guards that let everything pass, as where nobody thought of them.
CARELESS = """
import pathlib, sys
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    text = path.read_text()
    assert "def require_private(path):" in text
    for name in ("require_private(path)", "_require_closed(path, found)"):
        text = text.replace(f"def {name}:", f"def {name}:\\n    return", 1)
    text = text.replace("def inside(held, name):", "def inside(held, name):\\n"
                        "    return os.readlink(f'/proc/self/fd/{held}') + '/' + name", 1)
    path.write_text(text.replace("if not ours or found.st_mode & 0o077:", "if False:"))
"""
PLAYBOOKS = (
    "doctor", "status", "start", "connect --check", "setup --check", "setup", "parallel",
    "teardown --check", "teardown", "restart", "stop",
)  # fmt: skip


def swept_runtime(report: Report, *, short: bool = False) -> None:
    """Every playbook, and a new kernel, while the directory is the stranger's."""
    _end()  # what an attack that failed has left
    done("setup")
    set_up()
    for line in PLAYBOOKS[-2:] if short else PLAYBOOKS:
        _under_a_living_server(report, line)
    for _each in range(1 if short else _attempts_until_dangerous()):
        for what, found in _attacked_kernels().items():
            report.note(what, *found)


def _under_a_living_server(report: Report, line: str) -> None:
    done("start")
    root(NODE, f"rm -rf {LOCAL}")
    with planted([(KIND, LOCAL, "swept")]):
        screen = play(*line.split(), **(REMOVED if line == "teardown" else {}))
        blocked = line in ("stop", "status", "teardown") and unworkable(screen)
        ended = line in ("stop", "teardown")
        left = root(NODE, f"pgrep -u {UID} -f jupyterlab || true") if ended else ""
        astray = screen.code == 0 and f":{LOCAL}/notebook.sock" in screen.raw
        report.note(
            f"{KIND} under a living server", *evidence(LOCAL), *(blocked or []),
            *(["the server goes on"] if left else []),
            *(["the printed tunnel leads to the stranger"] if astray else []),
            what="the runtime directory made again", line=line,
        )  # fmt: skip
    _end()
    if line == "teardown":
        done("setup")


def _attempts_until_dangerous() -> int:
    """How often it takes, without the guards of server and launcher, until each has succeeded.

    The stranger races the server to a connection file: on a busy machine she loses now and then.
    """
    seen: set[str] = set()
    VICTIM.says(f"cp {CONFIG} {CONFIG}.guarded; cp {LAUNCHER} {LAUNCHER}.guarded")
    VICTIM.says(f"python3 - {CONFIG} {LAUNCHER}", CARELESS)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            seen |= {what for what, found in _attacked_kernels().items() if found}
            if seen == set(KERNELS):
                return attempt
    finally:
        VICTIM.says(f"mv {CONFIG}.guarded {CONFIG}; mv {LAUNCHER}.guarded {LAUNCHER}")
    raise AssertionError(f"of the attacks only these work where they could: {sorted(seen)}")


def _attacked_kernels() -> dict[str, list[str]]:
    """What the stranger got of a kernel that lived before the sweep, and of one that came after.

    Reached over TCP, the server goes on after a sweep.
    """
    done("start", nbserver_transport="tcp", nbserver_port=PORT)
    try:
        living = _typed("new", "1 + 1")
        assert living["answered"], living
        root(NODE, f"rm -rf {LOCAL}")
        with STRANGER.running("attacks/swapper.py", f"{LOCAL}/runtime") as swapper:
            _typed(living["kernel"], f"'{CANARY}'")
            _typed("new", f"'{CANARY}'")
            told = json.loads(swapper.rest())
        ran = evidence(LOCAL)
    finally:
        _end()
    return {
        KERNELS[0]: ["a kernel ran the stranger's code"] * any("swapped" in text for text in ran),
        KERNELS[1]: ["the server spoke to the stranger"] * bool(told["heard"]),
        KERNELS[2]: [f"{told['swapped']} connection files were swapped"] * bool(told["swapped"]),
    }


def _typed(kernel: str, code: str) -> dict[str, Any]:
    """What came of a cell that the victim runs in a page of the browser."""
    page = VICTIM.begin(
        "typing_person.py", str(PORT), f"{PROFILE}/security/notebook.crt",
        f"{PROFILE}/security/token", kernel, code,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(page.communicate()[0])
    return told


def _end() -> None:
    """Whatever became of it."""
    root(
        NODE,
        f"pkill -KILL -u {UID} -f 'jupyterlab|ipykernel' || true; rm -rf {LOCAL} {SEEN_PATTERN}",
    )
    VICTIM.says(f"rm -f {PROFILE}/run/*.json")

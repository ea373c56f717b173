"""The whole life of a server at -vvvv, and its secrets are nowhere to be seen."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
SAFETY = Path(__file__).parents[1] / "safety"
sys.path.append(str(SAFETY))
import people  # noqa: E402
from canaries import found  # noqa: E402

SECURITY = "/home/alice/.ipython/profile_nbserver/security"
FIRST, SECOND = "Zq7 canary/pä$$+wörd & more", "another canary/pä$$+wörd & more"
CONTROL = "control-canary-4f1b9a77c2"
LOUD = ("-vvvv", "--diff")
# What other users could read, wherever a program of ours might leave it; and all of our own logs.
READABLE = (
    "find /home/alice /tmp /var/tmp /dev/shm /var/log /run -xdev -type f -perm /044 -size -4096k "
    "-newer /tmp/began 2>/dev/null -exec cat {} + ; cat /home/alice/.ipython/profile_*/log/*/* "
    "/home/alice/.ipython/profile_*/run/* 2>/dev/null; true"
)


@contextmanager
def watched(places: dict[str, bytes]) -> Iterator[None]:
    """Poll the processes of gateway, node and this machine, as root and as a neighbour."""
    source = (SAFETY / "poller.py").read_text()
    with ExitStack() as stack:
        pollers = {"processes of this machine": subprocess.Popen(
            [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )}  # fmt: skip
        for host in ("gateway", "dev1"):
            neighbour = people.Person("mallory", host).begin("poller.py")
            pollers[f"processes of {host}, seen by a neighbour"] = neighbour
            pollers[f"processes of {host}, seen by root"] = subprocess.Popen(
                [*people.CLUSTER, "root", host, people.PYTHON, "-c", source],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        for poller in pollers.values():
            stack.enter_context(poller)
            assert poller.stdout
            assert poller.stdout.readline().strip() == "ready"
        yield
        for place, poller in pollers.items():
            places[place] = base64.b64decode(poller.communicate("stop")[0])


@pytest.fixture(scope="module")
def seen(account: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict]:
    """Lead a server through its life; gives its secrets, and all that could be seen meanwhile."""
    assert account == "alice"
    directory = tmp_path_factory.mktemp("seen")
    log, results = directory / "ansible.log", directory / "results"
    loud = {
        "ANSIBLE_LOG_PATH": str(log),
        "ANSIBLE_CALLBACK_PLUGINS": str(SAFETY / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "every_result",
        "WRITE_EVERYTHING_TO": str(results),
    }
    alice = people.Person("alice", "dev1")
    people.root("dev1", "touch /tmp/began")
    places: dict[str, bytes] = {}
    secrets = {"first password": FIRST.encode(), "second password": SECOND.encode()}
    said = ""
    with pytest.MonkeyPatch.context() as patch, watched(places):
        for name, value in loud.items():
            patch.setenv(name, value)
        alice.says(f"env CONTROL={CONTROL} sleep 1")
        for playbook, password in (
            ("setup", FIRST), ("start", FIRST), ("setup", SECOND), ("start", SECOND),
            ("stop", SECOND),
        ):  # fmt: skip
            said += people.done(playbook, *LOUD, nbserver_profile_password=password).output
            secrets |= secrets_of(f"after {playbook}")
    places["the output"] = said.encode()
    places["the log of Ansible"] = log.read_bytes()
    places["what callbacks are told"] = results.read_bytes()
    for host in ("dev1", "gateway"):
        places[f"files of {host}"] = people.root(host, READABLE).encode(errors="surrogateescape")
    return secrets, places


def secrets_of(moment: str) -> dict[str, bytes]:
    """What lies in the profile at this moment, and where it matters."""
    files = {"token": "token", "cookie secret": "cookie_secret", "key": "notebook.key"}
    read = {n: people.root("dev1", f"base64 -w0 {SECURITY}/{f} || true") for n, f in files.items()}
    content = {name: base64.b64decode(text) for name, text in read.items()}
    # The longest line of a key is enough, and is the same however line ends are written.
    content["key"] = max(content["key"].splitlines() or [b""], key=len)
    return {f"{name} {moment}": secret for name, secret in content.items() if secret}


def test_the_watch_sees_what_there_is_to_see(seen: tuple[dict, dict]) -> None:
    _secrets, places = seen
    assert found({"control": CONTROL.encode()}, places)
    assert b"jupyterlab" in places["processes of dev1, seen by a neighbour"]
    for place in ("the output", "the log of Ansible", "what callbacks are told"):
        assert b"nbserver_profile" in places[place], place


@pytest.mark.threat(7, 8, 27)
def test_no_secret_is_seen_anywhere(seen: tuple[dict, dict]) -> None:
    secrets, places = seen
    assert len(secrets) > 10
    found_here = found(secrets, places)
    print(f"{len(secrets)} secrets, {len(places)} places, {len(found_here)} found")
    assert found_here == []
    assert os.environ.get("WRITE_EVERYTHING_TO") is None

"""Start a server again and again; each time the printed tunnel is opened and somebody logs in.

    tests/starts.py [NUMBER]    on the test cluster that is up; 100 when no number is given

Front ends and transports take turns. The last line says how many of the starts led to a notebook.
"""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import re
import shlex
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "playbooks" / "collections"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "cluster"))
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.running import end
from topology import STATE

__all__ = ["end", "free_port", "playbook", "printed"]
CHECKOUT = Path(__file__).parents[1]
PASSWORD = "a walk along the Red Cedar"
WAYS = tuple(itertools.product(("lab", "notebook", "nbclassic"), ("socket", "tcp")))
PATIENCE = 60.0  # seconds for a tunnel to open on a busy machine


class Failed(Exception):  # noqa: N818 - reads as what happened
    """What a person would have seen instead of a notebook."""


def playbook(name: str, **variables: object) -> str:
    """Run a playbook and give what it printed."""
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    given = json.dumps({"nbserver_profile_password": PASSWORD, **variables})
    command = [program, f"playbooks/{name}.yml", "-i", str(STATE / "inventory.ini"), "-e", given]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def printed(pattern: str, text: str) -> str:
    """What the playbook told the person."""
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise Failed(f"nothing like {pattern} in:\n{text}")
    return found[1]


@contextmanager
def tunnel(command: str, port: int) -> Iterator[None]:
    """The printed command, as a person leaves it running."""
    process = subprocess.Popen(shlex.split(command), stdin=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield
    finally:
        end(process)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"the tunnel did not open (exit {process.poll()})")
        time.sleep(0.1)


def log_in(port: int, fingerprint: str) -> None:
    """What a browser does: see the certificate, send the login page, ask for something."""
    served = ssl.get_server_certificate(("127.0.0.1", port), timeout=PATIENCE)
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(served)).hexdigest().upper()
    if digest != fingerprint.replace(":", ""):
        raise Failed(f"somebody else's certificate is shown: {digest}")
    browser = http.client.HTTPSConnection(
        "127.0.0.1", port, timeout=PATIENCE, context=ssl.create_default_context(cadata=served)
    )
    cookies = _cookies(browser, "GET", "/login")
    form = urllib.parse.urlencode({"_xsrf": cookies["_xsrf"], "password": PASSWORD})
    cookies |= _cookies(browser, "POST", "/login", form, cookies)
    browser.request("GET", "/api/status", headers={"Cookie": _joined(cookies)})
    answer = browser.getresponse()
    answer.read()
    if answer.status != 200:
        raise Failed(f"after the login, /api/status was answered with {answer.status}")


def _cookies(
    browser: http.client.HTTPSConnection,
    method: str,
    path: str,
    body: str = "",
    known: dict[str, str] | None = None,
) -> dict[str, str]:
    headers = {
        "Cookie": _joined(known or {}),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    browser.request(method, path, body or None, headers)
    answer = browser.getresponse()
    answer.read()
    pairs = (line.split(";")[0].partition("=") for line in answer.headers.get_all("Set-Cookie", []))
    return {name: value for name, _equals, value in pairs}


def _joined(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def start_and_log_in(frontend: str, transport: str) -> None:
    """One round: from the playbook to a page that only we may see."""
    port = free_port()
    said = playbook(
        "restart",
        nbserver_frontend=frontend,
        nbserver_transport=transport,
        nbserver_local_port=port,
    )
    with tunnel(printed(r"^ +(ssh .*)$", said), port):
        log_in(port, printed(r"SHA-256 ([0-9A-F:]{95})", said))


def campaign(number: int) -> int:
    """Go through all rounds, say how each went, and give how many led to a notebook."""
    playbook("setup")
    good = 0
    for turn, (frontend, transport) in zip(range(1, number + 1), itertools.cycle(WAYS)):
        began, outcome = time.monotonic(), "ok"
        try:
            start_and_log_in(frontend, transport)
            good += 1
        except (Failed, OSError, http.client.HTTPException) as error:
            outcome = f"FAILED: {error}"
        seconds = time.monotonic() - began
        print(f"{turn:4} {frontend:9} {transport:6} {seconds:5.1f} s  {outcome}", flush=True)
    playbook("stop")
    print(f"The tunnel and the login succeeded in {good} of {number} starts.")
    return good


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    sys.exit(campaign(wanted) != wanted)

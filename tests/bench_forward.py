"""From nothing running to a notebook page on this machine, beside jupyter-forward.

Both start JupyterLab for one account, from one installation, on one node behind the gateway; they
take turns, and the figure is the median. Ours is `start.yml` and the pasted tunnel, and `open.yml`,
which does both, and only connects when a server runs. It counts when the page answers;
jupyter-forward waits three seconds more before it opens a browser.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import CHECKOUT, STATE, alternate, fresh, on_node, playbook, report
from starts import end, free_port, printed
from starts import playbook as said_by

ACCOUNT = "grace"
ENVIRONMENT = CHECKOUT / ".cache" / "jupyter-forward"
PACKAGE = "jupyter-forward==2025.1.16"
PATIENCE = 60.0  # seconds
# It activates the environment before it looks for `jupyter`; our test installer brings no script.
ACTIVATE = """
mkdir -p ~/bin; echo 'PATH=$HOME/anaconda/bin:$PATH' > ~/bin/activate
echo 'PATH=$HOME/bin:$PATH' > ~/.bash_profile
"""
# What it leaves when its connection ends, and what listens at all addresses of the node until then.
END = "pids=$(pgrep -u $USER -f '[j]upyter-lab') && kill $pids; rm -rf ~/.jupyter_forward"


def prepare() -> None:
    """An account with an installation, and jupyter-forward in an environment of its own."""
    if not (ENVIRONMENT / "bin" / "jupyter-forward").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "--disable-pip-version-check", PACKAGE], check=True)
    fresh(ACCOUNT)
    playbook("playbooks/setup.yml", ACCOUNT)
    on_node(ACCOUNT, ACTIVATE)


def ours() -> float:
    """`start.yml`, and the command that it prints."""
    port, began = free_port(), time.monotonic()
    said = said_by("start", ansible_user=ACCOUNT, nbserver_local_port=port)
    with running(shlex.split(printed(r"^ +(ssh .*)$", said)), dict(os.environ)) as tunnel:
        took = answered(tunnel, port, began, secure=True)
        end(tunnel)
    playbook("playbooks/stop.yml", ACCOUNT)
    return took


def opening() -> float:
    """`open` alone, from nothing, with a browser that shows nothing."""
    took = opened()
    playbook("playbooks/stop.yml", ACCOUNT)
    return took


def opened() -> float:
    """One command until the page answers; Ctrl-C leaves the server as it is."""
    port, began = free_port(), time.monotonic()
    given = json.dumps({"ansible_user": ACCOUNT, "nbserver_local_port": port})
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    inventory = str(STATE / "inventory.ini")
    command = [program, str(CHECKOUT / "playbooks" / "open.yml"), "-i", inventory, "-e", given]
    with running(command, {**os.environ, "BROWSER": "true"}) as tunnel:
        return answered(tunnel, port, began, secure=True)


def theirs(home: Path) -> float:
    """One command; it waits for the page by reading the log."""
    port = free_port()
    environment = {**os.environ, "HOME": str(home), "BROWSER": "true"}
    command = [ENVIRONMENT / "bin" / "jupyter-forward", f"{ACCOUNT}@dev1", "--conda-env", "base"]
    began = time.monotonic()
    with running([*map(str, command), "--port", str(port)], environment) as forward:
        took = answered(forward, port, began, secure=False)
    on_node(ACCOUNT, END)
    return took


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """What stays for as long as the notebook is used."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            yield process
        except TimeoutError as error:
            output.seek(0)
            raise SystemExit(f"{error}:\n{output.read().decode(errors='replace')}") from error
        finally:
            process.terminate()
            process.wait()


def answered(process: subprocess.Popen[bytes], port: int, began: float, *, secure: bool) -> float:
    """Seconds until a page came through the tunnel."""
    while not answers(port, secure=secure):
        if process.poll() is not None or time.monotonic() - began > PATIENCE:
            raise TimeoutError(f"no page from {process.args!r} (exit {process.poll()})")
        time.sleep(0.02)
    return time.monotonic() - began


def answers(port: int, *, secure: bool) -> bool:
    """Whether Jupyter's interface answers on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    browser = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
        if secure
        else http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    )
    try:
        browser.request("GET", "/api")
        return browser.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        browser.close()


def ssh_configuration(home: Path) -> None:
    """The cluster's, in the words that jupyter-forward's ssh library knows."""
    given = (STATE / "ssh_config").read_text()
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh" / "config").write_text(re.sub("%r@gateway", f"{ACCOUNT}@gateway", given))


def main() -> None:
    prepare()
    with tempfile.TemporaryDirectory() as home:
        ssh_configuration(Path(home))
        start, one, forward = alternate(5, ours, opening, lambda: theirs(Path(home)))
    report("start.yml and the pasted tunnel", start, PACKAGE.replace("==", " "), forward, 0.8)
    report("open.yml, from nothing", one, PACKAGE.replace("==", " "), forward, 0.8)
    playbook("playbooks/start.yml", ACCOUNT)
    again = alternate(5, opened)[0]
    playbook("playbooks/stop.yml", ACCOUNT)
    report("open.yml, with a server that runs", again, "the goal", 1.2, 1.0)


if __name__ == "__main__":
    main()

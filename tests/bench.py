"""What the playbooks cost beside the same work by hand, measured in one run on the test cluster.

Each pair is measured alternately, so that a slow moment of the machine falls on both. The figure is
the median. `make bench` brings the cluster up first.
"""

from __future__ import annotations

import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).parents[1]
STATE = CHECKOUT / ".cluster"
BIN = Path(sys.executable).parent
PASSWORD = {"nbserver_profile_password": "a walk along the Red Cedar"}
PING = [{"hosts": "hpcc_dev", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}]}]
COLD_START = """
cd; s=$(mktemp -d /tmp/bench.XXXXXX)
~/anaconda/bin/python -m jupyterlab --no-browser --ServerApp.sock=$s/sock >$s/log 2>&1 &
until curl -s -o $s/page --unix-socket $s/sock http://localhost/api; do sleep 0.05; done
kill $!; wait; rm -rf "$s"
"""


def seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def alternate(rounds: int, *works: Callable[[], float]) -> list[float]:
    """The median time of each work, the works taken in turns."""
    times = [[work() for work in works] for _each in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def run(*command: str) -> None:
    subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)


def playbook(name: str, account: str) -> None:
    options = [
        "-i",
        ".cluster/inventory.ini",
        "-e",
        json.dumps({"ansible_user": account, **PASSWORD}),
    ]
    run(str(BIN / "ansible-playbook"), name, *options)


def on_node(account: str, script: str, stdin: bytes = b"", stderr: int | None = None) -> str:
    """What a script prints there."""
    command = ["ssh", "-F", str(STATE / "ssh_config"), f"{account}@dev1"]
    done = subprocess.run(
        [*command, f"bash -c {shlex.quote(script)}"],
        input=stdin, check=True, stdout=subprocess.PIPE, stderr=stderr,
    )  # fmt: skip
    return done.stdout.decode()


def fresh(account: str) -> None:
    run(sys.executable, "tests/cluster/cluster.py", "reset", "--aside", account)


def installer_by_hand() -> str:
    """Fetched, checked and run, as in the recipe that this replaces."""
    found = json.loads((STATE / "installer.json").read_text())
    name = found["name"]
    return f"""
    set -e; cd; curl -sSO {found["url"]}; echo "{found["sha256"]}  {name}" | sha256sum -c -
    bash {name} -b -p ~/anaconda
    """


def pip_by_hand(packages: Iterable[str]) -> str:
    """The package command."""
    pip = "~/anaconda/bin/python -m pip install -q --index-url https://mirror/simple/"
    return f"{pip} {shlex.join(packages)}\n"


def by_hand() -> str:
    """All of it, with the packages that the role installs."""
    role = yaml.safe_load((CHECKOUT / "roles/anaconda/defaults/main.yml").read_text())
    return installer_by_hand() + pip_by_hand(role["anaconda_packages"])


@contextmanager
def one_ping() -> Iterator[str]:
    """The playbook that does least: what Ansible and ssh take by themselves."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as playbook_file:
        json.dump(PING, playbook_file)
        playbook_file.flush()
        yield playbook_file.name


def measure_nothing_to_do() -> None:
    with one_ping() as ping:
        setup, single = alternate(
            5,
            lambda: seconds(lambda: playbook("playbooks/setup.yml", "grace")),
            lambda: seconds(lambda: playbook(ping, "grace")),
        )
    report("setup.yml, nothing to do", setup, "a playbook with one ping", single, 2.0)


def measure_fresh_account() -> None:
    def ours() -> float:
        fresh("grace")
        return seconds(lambda: playbook("playbooks/setup.yml", "grace"))

    def hand() -> float:
        fresh("heidi")
        return seconds(lambda: on_node("heidi", by_hand()))

    setup, bare = alternate(2, ours, hand)
    report("setup.yml, fresh account", setup, "installer and pip by hand", bare, 0.5)


def measure_start() -> None:
    def ours() -> float:
        playbook("playbooks/stop.yml", "grace")
        return seconds(lambda: playbook("playbooks/start.yml", "grace"))

    start, cold = alternate(3, ours, lambda: seconds(lambda: on_node("heidi", COLD_START)))
    playbook("playbooks/stop.yml", "grace")
    print(f"{'start.yml':34}{start:7.2f} s   {'jupyter lab, cold':34}{cold:7.2f} s   "
          f"{start - cold:5.2f} s more (goal 2.50)")  # fmt: skip


def measure_doctor() -> None:
    """With a server that runs, when there is most to look at."""
    playbook("playbooks/start.yml", "grace")
    (doctor,) = alternate(3, lambda: seconds(lambda: playbook("playbooks/doctor.yml", "grace")))
    playbook("playbooks/stop.yml", "grace")
    print(f"{'doctor.yml':34}{doctor:7.2f} s   (goal 5.00)", flush=True)


def report(ours: str, time_of_ours: float, other: str, time_of_other: float, goal: float) -> None:
    ratio = time_of_ours / time_of_other
    print(f"{ours:34}{time_of_ours:7.2f} s   {other:34}{time_of_other:7.2f} s   "
          f"ratio {ratio:4.2f} (goal {goal:.2f})", flush=True)  # fmt: skip


if __name__ == "__main__":
    measure_fresh_account()
    measure_nothing_to_do()
    measure_start()
    measure_doctor()

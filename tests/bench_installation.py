"""What an installation takes beside the bare installer: time, and room on the disk at its largest.

Part of `make bench`, on the test cluster.
"""

from __future__ import annotations

import json
import subprocess
import tempfile

from bench import BIN, STATE, alternate, fresh, on_node, run, seconds

ROLE = [{"hosts": "hpcc_dev", "gather_facts": False, "roles": ["hpcc.notebook.anaconda"]}]
ACCOUNT, BY_HAND = "grace", "heidi"
PERCENT, SECONDS = 5, 3
WATCH = """
cd; largest=0
while [ ! -e enough ]; do
  now=$(du -sk anaconda.d 2>/dev/null | cut -f1); now=${now:-0}
  [ "$now" -le "$largest" ] || largest=$now
  sleep 0.2
done
echo "$largest $(du -sk anaconda.d | cut -f1)"
"""


def role(*packages: str) -> None:
    """The role alone, on a fresh account."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as play:
        json.dump(ROLE, play)
        play.flush()
        extra = json.dumps({"ansible_user": ACCOUNT, "anaconda_packages": packages})
        run(str(BIN / "ansible-playbook"), "-i", ".cluster/inventory.ini", play.name, "-e", extra)


def bare() -> str:
    """Fetched, checked and run by hand, and nothing more."""
    found = json.loads((STATE / "installer.json").read_text())
    name = found["name"]
    return f"""
    set -e; cd; curl -sSO {found["url"]}; echo "{found["sha256"]}  {name}" | sha256sum -c -
    bash {name} -b -p ~/anaconda
    """


def measure_time() -> None:
    """The playbook's own start-up is part of it."""

    def ours() -> float:
        fresh(ACCOUNT)
        return seconds(role)

    def hand() -> float:
        fresh(BY_HAND)
        return seconds(lambda: on_node(BY_HAND, bare()))

    with_role, by_hand = alternate(3, ours, hand)
    more = with_role - by_hand
    print(f"{'role anaconda, no packages':34}{with_role:7.2f} s   {'the bare installer':34}"
          f"{by_hand:7.2f} s   {more:5.2f} s more, {100 * more / by_hand:.0f} % "
          f"(goal {PERCENT} % or {SECONDS} s)", flush=True)  # fmt: skip


def measure_room() -> None:
    """At no time more than the installer and what stays."""
    fresh(ACCOUNT)
    ssh = ["ssh", "-F", str(STATE / "ssh_config"), f"{ACCOUNT}@dev1"]
    size = f"curl -sSI {json.loads((STATE / 'installer.json').read_text())['url']}"
    answer = subprocess.check_output([*ssh, size], text=True).lower()
    installer = int(answer.split("content-length:")[1].split()[0]) // 1024
    with subprocess.Popen([*ssh, WATCH], stdout=subprocess.PIPE, text=True) as watch:
        role("jupyterlab", "notebook", "nbclassic", "ipyparallel", "cryptography")
        on_node(ACCOUNT, "cd; while [ -L anaconda.d/lock ]; do sleep 0.1; done; touch enough")
        largest, stays = map(int, watch.communicate()[0].split())
    print(f"{'the largest that it was':34}{largest // 1024:7} MiB {'installer and what stays':34}"
          f"{(installer + stays) // 1024:7} MiB (goal: no larger)", flush=True)  # fmt: skip


if __name__ == "__main__":
    measure_time()
    measure_room()

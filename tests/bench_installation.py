"""What an installation takes beside the bare installer: time, and room on the disk at its largest.

Part of `make bench`, on the test cluster.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable

from bench import (
    BIN,
    STATE,
    alternate,
    fresh,
    installer_by_hand,
    on_node,
    pip_by_hand,
    run,
    seconds,
)

ROLE = [{"hosts": "hpcc_dev", "gather_facts": False, "roles": ["hpcc.notebook.anaconda"]}]
ACCOUNT, BY_HAND = "grace", "heidi"
PERCENT, SECONDS = 5, 3
PACKAGES = ("jupyterlab", "notebook", "nbclassic", "ipyparallel", "cryptography")
# The room in the home and in pip's own directories: the largest that it was, and what stays.
WATCH = """
cd; largest=0
size() { du -skc . /tmp/pip-* 2>/dev/null | tail -n 1 | cut -f1; }
while [ ! -e enough ]; do
  now=$(size)
  [ "$now" -le "$largest" ] || largest=$now
  sleep 0.1
done
echo "$largest $(size)"
"""


def role(*packages: str) -> None:
    """The role alone, on a fresh account."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as play:
        json.dump(ROLE, play)
        play.flush()
        extra = json.dumps({"ansible_user": ACCOUNT, "anaconda_packages": packages})
        run(str(BIN / "ansible-playbook"), "-i", ".cluster/inventory.ini", play.name, "-e", extra)


def measure_time() -> None:
    """The playbook's own start-up is part of it."""

    def ours() -> float:
        fresh(ACCOUNT)
        return seconds(role)

    def hand() -> float:
        fresh(BY_HAND)
        return seconds(lambda: on_node(BY_HAND, installer_by_hand()))

    with_role, by_hand = alternate(3, ours, hand)
    more = with_role - by_hand
    print(f"{'role anaconda, no packages':34}{with_role:7.2f} s   {'the bare installer':34}"
          f"{by_hand:7.2f} s   {more:5.2f} s more, {100 * more / by_hand:.0f} % "
          f"(goal {PERCENT} % or {SECONDS} s)", flush=True)  # fmt: skip


def room(account: str, work: Callable[[], object]) -> tuple[int, int]:
    """KiB that an installation takes at its largest, and in the end."""
    fresh(account)
    ssh = ["ssh", "-F", str(STATE / "ssh_config"), f"{account}@dev1"]
    with subprocess.Popen([*ssh, WATCH], stdout=subprocess.PIPE, text=True) as watch:
        work()
        on_node(account, "cd; while [ -L anaconda.d/lock ]; do sleep 0.1; done; touch enough")
        largest, stays = map(int, watch.communicate()[0].split())
    return largest, stays


def measure_room() -> None:
    """At no time more than the installer and what stays; with packages, no more than by hand."""
    size = on_node(
        ACCOUNT, f"curl -sSI {json.loads((STATE / 'installer.json').read_text())['url']}"
    )
    installer = int(size.lower().split("content-length:")[1].split()[0]) // 1024
    largest, stays = room(ACCOUNT, role)
    print(f"{'role anaconda, at its largest':34}{largest / 1024:7.1f} MiB "
          f"{'installer and what stays':34}{(installer + stays) / 1024:7.1f} MiB "
          "(goal: no larger)", flush=True)  # fmt: skip
    largest, _stays = room(ACCOUNT, lambda: role(*PACKAGES))
    by_hand, _stays = room(
        BY_HAND, lambda: on_node(BY_HAND, installer_by_hand() + pip_by_hand(PACKAGES))
    )
    print(f"{'with packages, at its largest':34}{largest / 1024:7.1f} MiB "
          f"{'installer and pip by hand':34}{by_hand / 1024:7.1f} MiB "
          "(goal: no larger)", flush=True)  # fmt: skip


if __name__ == "__main__":
    measure_time()
    measure_room()

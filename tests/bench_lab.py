"""What a lab of 64 people costs: one installation, as in docs/lab.md, on one node.

Each figure of many is beside that of one person in the same run. Here the computer from which
Ansible runs shares its processors with the nodes, so its own share is told, too. The accounts are
made for the measurement and removed after it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import BIN, CHECKOUT, PASSWORD, STATE, fresh, on_node, one_ping

NODE, OWNER = "dev1", "grace"
PLACE = "/home/measured-lab"
MEMBERS = [f"member{number:02}" for number in range(1, 65)]
FIRST_UID = 3001
FORKS = 16  # as docs/lab.md says
SERVING = MEMBERS[:16]
INVENTORY = f"""
[lab_owner]
lab ansible_host={NODE} ansible_user={OWNER}
[lab_members]
{{members}}
[hpcc_dev:children]
lab_owner
lab_members
[hpcc_dev:vars]
anaconda_prefix={PLACE}/anaconda
anaconda_owner={OWNER}
anaconda_group=lab
lmod_module_prefix={PLACE}/anaconda
lmod_module_dir={PLACE}/modulefiles
"""
MAKE = """
groupadd -f -g 1500 lab; usermod -aG lab {owner}; uid={first}
for name in {members}; do
  useradd -u $uid -U -G lab -M -s /bin/bash -p '*' $name; uid=$((uid + 1))
done
"""
MAKE_HOMES = """
install -d -o {owner} -g lab -m 2755 {place}
for name in {members}; do
  cp -r /etc/skel /home/$name; chown -R $name:$name /home/$name; chmod 700 /home/$name
done
"""
REMOVE = """
for name in {members}; do pkill -9 -u $name; userdel $name; rm -rf /home/$name; done 2>/dev/null
find /tmp /dev/shm -xdev -nouser -delete; rm -rf {place}; gpasswd -d {owner} lab; groupdel lab; true
"""


class Cost(NamedTuple):
    """What a run took: until its end, and of this computer's processors."""

    wall: float
    processors: float


def as_root(host: str, script: str) -> None:
    """On a host of the cluster."""
    words = script.format(owner=OWNER, first=FIRST_UID, members=" ".join(MEMBERS), place=PLACE)
    command = [sys.executable, "tests/cluster/cluster.py", "root", host, "sh", "-c", words]
    subprocess.run(
        command, cwd=CHECKOUT, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def people() -> Iterator[Path]:
    """The accounts of a lab, and the inventory of it."""
    fresh(OWNER)
    try:
        for host in ("gateway", NODE):
            as_root(host, MAKE)
        as_root("gateway", MAKE_HOMES)
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as inventory:
            lines = "\n".join(f"{name} ansible_host={NODE} ansible_user={name}" for name in MEMBERS)
            inventory.write(INVENTORY.format(members=lines))
            inventory.flush()
            yield Path(inventory.name)
    finally:
        for host in (NODE, "gateway"):
            as_root(host, REMOVE)
        fresh(OWNER)


def play(inventory: Path, name: str, hosts: list[str], **variables: object) -> Cost:
    """The cost of one playbook for these people."""
    command = [
        *(str(BIN / "ansible-playbook"), name, "-f", str(FORKS), "--limit", ",".join(hosts)),
        *("-i", str(STATE / "inventory.ini"), "-i", str(inventory)),
        *("-e", json.dumps({**PASSWORD, **variables})),
    ]
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - began, spent)


def report(what: str, many: Cost, one: Cost, goal: float | None = None) -> None:
    """A line of the table: as measured, and what is left when only this computer is to blame.

    The second ratio counts what Ansible's processes took of this computer's processors, spread over
    all of them, and nothing of what the nodes did for the others: it is computed, not measured.
    """
    own = 1 + (many.processors - one.processors) / (os.cpu_count() or 1) / one.wall
    judged = f"(goal {goal:.0f})" if goal else ""
    print(
        f"{what:26}{many.wall:7.2f} s   one person {one.wall:5.2f} s   ratio "
        f"{many.wall / one.wall:5.1f}, with nodes of their own {own:5.1f} {judged:10}"
        f"(Ansible: {many.processors:5.1f} s of processor time)",
        flush=True,
    )


def measure(inventory: Path) -> None:
    """All of it, in the order in which a lab lives; at first what Ansible takes by itself."""
    with one_ping() as ping:
        one = play(inventory, ping, MEMBERS[:1])
        report("64 with one ping", play(inventory, ping, MEMBERS), one)
    play(inventory, "docs/lab/lab.yml", ["lab"])
    one = play(inventory, "docs/lab/lab.yml", MEMBERS[:1])
    report("63 fresh profiles", play(inventory, "docs/lab/lab.yml", MEMBERS[1:]), one, 10)
    one = play(inventory, "docs/lab/lab.yml", MEMBERS[:1])
    report("64 with nothing to do", play(inventory, "docs/lab/lab.yml", MEMBERS), one, 8)
    one = play(inventory, "playbooks/start.yml", MEMBERS[-1:])
    report("16 starts", play(inventory, "playbooks/start.yml", SERVING), one, 5)
    one = play(inventory, "playbooks/status.yml", MEMBERS[-1:])
    report("status of 64", play(inventory, "playbooks/status.yml", MEMBERS), one)
    grown = on_node(OWNER, f"find {PLACE} ! -user {OWNER} | wc -l").strip()
    home = on_node(MEMBERS[0], "du -sk . | cut -f1; find . | wc -l").split()
    print(f"files of members in the installation: {grown} (goal 0); at home, with a server: "
          f"{home[0]} KiB, {home[1]} files and directories", flush=True)  # fmt: skip
    upgrade = play(inventory, "docs/lab/lab.yml", ["lab"], **newer(1))
    play(inventory, "playbooks/stop.yml", SERVING[1:])
    alone = play(inventory, "docs/lab/lab.yml", ["lab"], **newer(2))
    report("an upgrade while 16 serve", upgrade, alone)
    one = play(inventory, "playbooks/stop.yml", MEMBERS[-1:])
    report("stop, for 64", play(inventory, "playbooks/stop.yml", MEMBERS), one)


def newer(number: int) -> dict[str, str]:
    """What makes the owner's next version: one of the two test installers."""
    one = json.loads((STATE / "installer.json").read_text())["installers"][number % 2]
    return {
        "anaconda_version": f"2.{number}",
        "anaconda_url": one["url"],
        "anaconda_sha256": one["sha256"],
    }


if __name__ == "__main__":
    with people() as lab:
        measure(lab)

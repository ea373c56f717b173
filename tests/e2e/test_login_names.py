"""Accounts as directories of a Windows domain or of several realms name them, on a real sshd."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from connecting import GREETING, PASSWORD, STATE, connecting, login_page
from sshd import as_root
from terminal import Tunnel, run

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
HOSTS = ("gateway", "dev1")
UID = 1101  # above those of the cluster's own accounts


# ssh itself loses the backslash of a jump's user: such a name belongs into the person's own file.
NAMES = {
    "HPCC\\nora": "config",
    "hpcc\\svc-n.o": "config",
    "nora+x": "inventory",
    "nora@HPCC": "inventory",
}


@dataclass(frozen=True)
class Named:
    """An account, and an inventory that leads to it."""

    name: str
    inventory: Path
    config: Path

    def playbook(self, name: str, *more: str) -> str:
        words = ["ansible-playbook", f"playbooks/{name}.yml", "-i", str(self.inventory), *more]
        return run(shlex.join(words))


@pytest.fixture(params=NAMES)
def named(request: pytest.FixtureRequest, account: str, tmp_path: Path) -> Iterator[Named]:
    assert account
    name = request.param
    home = f"/home/{re.sub('[^a-z]', '-', name.lower())}"
    entry = shlex.quote(f"{name}:x:{UID}:100::{home}:/bin/bash")
    shadow = shlex.quote(f"{name}:*:19000:0:99999:7:::")
    for host in HOSTS:
        as_root(
            host, f"printf '%s\\n' {entry} >> /etc/passwd; printf '%s\\n' {shadow} >> /etc/shadow"
        )
    as_root("gateway", f"install -d -m 700 -o {UID} -g 100 {home}")
    yield Named(name, tmp_path / "my.ini", tmp_path / "config")
    for host in HOSTS:
        as_root(host, f"pkill -KILL -u {UID} || true; sed -i '/:x\\?:{UID}:/d' /etc/passwd")
        as_root(
            host, f"grep -vF {shlex.quote(name)}: /etc/shadow > /root/s; cat /root/s > /etc/shadow"
        )
        as_root(host, f"rm -rf /tmp/nbserver-{UID}")
    as_root("gateway", f"rm -rf {home}")


def written(named: Named) -> None:
    """The files of the person: the name stands in the inventory, or where docs/login.md says."""
    in_inventory = NAMES[named.name] == "inventory"
    user = "" if in_inventory else f"Host gateway dev1\n    User {named.name}\n"
    cluster = (STATE / "ssh_config").read_text().replace("%r@", "")
    if in_inventory:
        cluster = cluster.replace("ProxyJump gateway", f"ProxyJump {named.name}@gateway")
    named.config.write_text(user + cluster)
    theirs = (STATE / "inventory.ini").read_text()
    theirs = theirs.replace(f"{STATE}/ssh_config -J alice@gateway", str(named.config))
    theirs = theirs.replace(f"{STATE}/ssh_config", str(named.config))
    line = f"ansible_user={named.name}\n" if in_inventory else ""
    named.inventory.write_text(theirs.replace("ansible_user=alice\n", line))


def test_a_login_name_of_a_directory_works_from_setup_to_the_page(
    named: Named, local_port: int
) -> None:
    written(named)
    port = ("-e", f"nbserver_local_port={local_port}")
    named.playbook("setup", "-e", f"nbserver_profile_password='{PASSWORD}'", *port)
    printed = named.playbook("start", *port)
    found = re.search(r"^ *(ssh -N .*)$", printed, re.MULTILINE)
    assert found, printed
    with Tunnel(found[1], local_port):
        assert login_page(local_port) == "200"
    with connecting(*port, inventory=named.inventory) as terminal:
        terminal.expect(GREETING)
        assert login_page(local_port) == "200"
    assert "0 wrong" in named.playbook("doctor", *port)
    assert "dev1" in named.playbook("status", *port)
    named.playbook("stop", *port)

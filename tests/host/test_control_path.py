"""Hosts of two clusters have one name: what is meant for the one never goes to the other."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters.control_path import (
    control_path,
)
from own_sshd import Sshd, sshd

from playbooks import run_playbook

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
WORDS = "{{ hostvars[inventory_hostname] | hpcc.notebook.control_path }}"
# Reach nodes by sessions of their own, which no other run shares.
OWN_SESSIONS = ("connect.yml", "doctor.yml")


def port_of(node: Sshd, directory: Path, inventory: Path, **more: str) -> str:
    """The port of the sshd that a task ends on."""
    # The inventory, not the play: these are the variables of a host.
    inventory.write_text(
        f"[hpcc_dev]\ndev1 ansible_ssh_common_args='-F {node.config()}' "
        f"ansible_control_path_dir={directory}\n"
    )
    task = {"ansible.builtin.raw": 'echo "port=${SSH_CONNECTION##* }"', "register": "said"}
    show = {"ansible.builtin.debug": {"msg": "{{ said.stdout }}"}}
    play = {"hosts": "dev1", "connection": "ssh", "vars": more, "tasks": [task, show]}
    done = run_playbook(inventory.parent, play, "-i", str(inventory))
    assert done.code == 0, done.output
    found = re.search(r"port=(\d+)", done.output)
    assert found, done.output
    return found[1]


@pytest.fixture
def logins(tmp_path: Path) -> Iterator[Path]:
    """Where Ansible keeps them; none is left."""
    directory = tmp_path / "cp"
    yield directory
    for path in directory.iterdir():
        end = ["ssh", "-F", "none", "-S", str(path), "-O", "exit", "node"]
        subprocess.run(end, capture_output=True, check=False, timeout=30)


@pytest.mark.parametrize(("more", "own"), [({}, False), ({"ansible_control_path": WORDS}, True)])
def test_a_login_that_is_open_to_one_cluster_is_not_taken_for_another(
    more: dict[str, str], own: bool, tmp_path: Path, logins: Path
) -> None:
    with sshd(tmp_path / "a") as first, sshd(tmp_path / "b") as second:
        for node in (first, second):
            place = tmp_path / f"run-{node.port}"
            place.mkdir()
            found = port_of(node, logins, place / "hosts.ini", **more)
            if node is second:
                # Without, it is Ansible's own name for both: the attack on what has no protection.
                assert found == str(second.port if own else first.port)


def shown(directory: Path, *options: str, **shell: str) -> str:
    """The name, in a run with these options and this environment."""
    directory.mkdir(exist_ok=True)
    show = {"ansible.builtin.debug": {"msg": f"name={WORDS}"}}
    done = run_playbook(directory, {"connection": "ssh", "tasks": [show]}, *options, shell=shell)
    return re.search(r"name=(\S+)\"", done.output)[1]  # type: ignore[index]


def test_a_login_is_not_taken_for_that_of_another_account_or_way_wherever_it_was_chosen(
    tmp_path: Path,
) -> None:
    (tmp_path / "key").touch(mode=0o600)
    ways = (
        shown(tmp_path / "a"),
        shown(tmp_path / "a", "-u", "nora"),
        shown(tmp_path / "a", "-u", "omar"),
        shown(tmp_path / "a", "--private-key", str(tmp_path / "key")),
        shown(tmp_path / "a", "--ssh-common-args=-J gate"),
        shown(tmp_path / "a", ANSIBLE_REMOTE_USER="nora2"),
        shown(tmp_path / "a", ANSIBLE_SSH_ARGS="-F /elsewhere"),
    )
    assert len(set(ways)) == len(ways)
    assert shown(tmp_path / "b", "-u", "nora") == ways[1]


def test_what_the_inventory_says_stays() -> None:
    assert control_path({"ansible_control_path": "/x"}) == "/x"
    ways = [{}, {"ansible_host": "b"}, {"ansible_ssh_common_args": "-J b"}, {"ansible_port": 3}]
    assert len({control_path({"inventory_hostname": "a", **way}) for way in ways}) == len(ways)
    assert len(control_path({})) == len("%(directory)s/") + 10


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.yml")), ids=lambda path: path.name)
def test_every_playbook_that_ansible_reaches_nodes_for_names_its_logins_so(path: Path) -> None:
    for play in yaml.safe_load(path.read_text(encoding="utf-8")):
        own = play["vars"].get("ansible_control_path")
        assert own == (None if path.name in OWN_SESSIONS else WORDS)

"""Wrong hosts, users and ports are refused by name before ssh is started even once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
# Inventory name → what is wrong with it, and the variable that has to be named.
HOSTS = {
    "user-with-a-command": ({"ansible_user": "u;id"}, "ansible_user"),
    "user-with-a-substitution": ({"ansible_user": "$(touch pwned)"}, "ansible_user"),
    "user-with-a-quote": ({"ansible_user": "a'b"}, "ansible_user"),
    "user-with-a-space": ({"ansible_user": "a b"}, "ansible_user"),
    "user-that-is-long": ({"ansible_user": "a" * 33}, "ansible_user"),
    "user-with-an-umlaut": ({"ansible_user": "Ü"}, "ansible_user"),
    "host-with-an-option": ({"ansible_host": "-oProxyCommand=touch pwned"}, "ansible_host"),
    "host-with-two-users": ({"ansible_host": "user@gw@x"}, "ansible_host"),
    "host-with-tokens": ({"ansible_host": "%h%p"}, "ansible_host"),
    "host-with-an-umlaut": ({"ansible_host": "bücher.example"}, "ansible_host"),
    "host-that-is-long": ({"ansible_host": "a." * 127}, "ansible_host"),
    "host-with-a-long-label": ({"ansible_host": "a" * 64}, "ansible_host"),
    "port-zero": ({"ansible_port": 0}, "ansible_port"),
    "port-too-high": ({"ansible_port": 65536}, "ansible_port"),
    "port-with-a-word": ({"ansible_port": "22b"}, "'port'"),
    "jump-with-a-port-of-letters": ({"ansible_ssh_common_args": "-J gw:abc"}, "common_args"),
    "jump-with-an-option": ({"ansible_ssh_common_args": "-J -oProxyCommand=x"}, "common_args"),
    "local-port-with-a-target": ({"nbserver_local_port": "8888:evil:80"}, "nbserver_local_port"),
    "local-port-with-digits-of-others": ({"nbserver_local_port": "٨٨٨٨"}, "nbserver_local_port"),
    "local-port-true": ({"nbserver_local_port": True}, "nbserver_local_port"),
    "profile-above": ({"nbserver_profile_name": "../../x"}, "nbserver_profile_name"),
    "file-that-is-relative": ({"nbserver_ssh_config_file": "config"}, "nbserver_ssh_config_file"),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What doctor.yml says to all of them, with an ssh that leaves a mark when it is started."""
    place = tmp_path_factory.mktemp("ways")
    fake = place / "ssh"
    fake.write_text(f"#!/bin/sh\ntouch {place}/started\n")
    fake.chmod(0o700)
    hosts = {name: variables for name, (variables, _named) in HOSTS.items()}
    inventory = place / "inventory.json"
    inventory.write_text(json.dumps({"hpcc_dev": {"hosts": hosts}}))
    playbook = str(Path(sys.executable).with_name("ansible-playbook"))
    environment = {"PATH": f"{place}:{os.environ['PATH']}", "ANSIBLE_HOME": str(place)}
    done = subprocess.run(
        [playbook, str(CHECKOUT / "playbooks" / "doctor.yml"), "-i", str(inventory)], cwd=place,
        env={**os.environ, **environment, "ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True,
        check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 2
    assert not (place / "started").exists()
    assert not (place / "pwned").exists()
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", HOSTS)
def test_a_way_that_cannot_be_meant_is_refused_by_the_name_of_its_variable(printed, name):
    answer = next(line for line in printed.splitlines() if f"fatal: [{name}]" in line)
    assert HOSTS[name][1] in answer
    assert "Traceback" not in answer

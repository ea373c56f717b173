"""Whether a server runs at all is an answer for `open`, and a failure for `connect`."""

import pytest
from own_sshd import sshd

from playbooks import run_playbook


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


def connected(node, directory, **options):
    """What connect says of a profile of which nobody has a server."""
    config = node.config()
    task = {"hpcc.notebook.connect": {"profile": "nobodys-profile", **options}, "register": "made"}
    say = "{{ made.state }}, elsewhere: {{ made.elsewhere }}"
    tasks = [task, {"ansible.builtin.debug": {"msg": say}}]
    there = {"ansible_host": "dev1", "ansible_ssh_common_args": f"-F {config}"}
    return run_playbook(directory, {"connection": "ssh", "tasks": tasks}, **there)


def test_no_server_is_a_failure_that_says_what_to_type(node, tmp_path):
    done = connected(node, tmp_path)
    assert done.code == 2
    assert "no notebook server is running: no server was started here" in done.output
    assert "ansible-playbook hpcc.notebook.start" in done.output


@pytest.mark.parametrize("state", ["connected", "found"])
def test_no_server_is_an_answer_where_none_is_required(node, tmp_path, state):
    done = connected(node, tmp_path, required=False, state=state)
    assert done.code == 0, done.output
    assert "no notebook server is running: no server was started here" in done.output
    assert "stopped, elsewhere: False" in done.output


def test_a_login_that_fails_is_a_failure_although_no_server_is_required(tmp_path):
    task = {"hpcc.notebook.connect": {"required": False}}
    nobody = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-F none"}
    done = run_playbook(tmp_path, {"connection": "ssh", "tasks": [task]}, **nobody)
    assert done.code == 2
    assert "port 1 cannot be reached: Connection refused" in done.output

"""A host that does not answer is an answer, and the play goes on."""

from __future__ import annotations

import pytest

from playbooks import run_playbook

TASKS = [
    {"hpcc.notebook.reach": {}, "register": "node"},
    {"ansible.builtin.debug": {"msg": "reached={{ node.reached }} {{ node.msg | default('') }}"}},
]
NOBODY = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-F none"}


@pytest.mark.parametrize(
    ("play", "said"),
    [
        ({"connection": "local"}, "reached=True"),
        ({"connection": "ssh", "vars": NOBODY}, "reached=False"),
    ],
)
def test_whether_a_host_answers_is_said_either_way(play, said, tmp_path):
    done = run_playbook(tmp_path, {**play, "tasks": TASKS})
    assert (done.code, done.changed) == (0, 0), done.output
    assert said in done.output
    assert "UNREACHABLE" not in done.output


def test_what_is_wrong_is_said_with_what_to_do(tmp_path):
    done = run_playbook(tmp_path, {"connection": "ssh", "vars": NOBODY, "tasks": TASKS})
    assert "reached=False 127.0.0.1: port 1 cannot be reached: Connection refused." in done.output
    assert "Check the network" in done.output

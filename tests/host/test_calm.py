"""The calm callback: what changes, what takes long, and one line for a failure."""

import json
import re
import socket

import pytest
from ansible_collections.hpcc.notebook.plugins.callback import calm
from own_sshd import sshd

from playbooks import CHECKOUT, run_ours, run_playbook

CALM = {"ANSIBLE_STDOUT_CALLBACK": "hpcc.notebook.calm"}
FACT = {"ansible.builtin.debug": {"msg": "it is as it was"}, "name": "Look at something"}
CHANGE = {
    "ansible.builtin.copy": {"dest": "{{ playbook_dir }}/made", "content": "1"},
    "name": "Make something",
}
LATE = {"ansible.builtin.command": "sleep 2", "name": "Take long", "changed_when": False}
SKIPPED = {"ansible.builtin.fail": {"msg": "never"}, "name": "Leave out", "when": False}
FAILURE = {"ansible.builtin.fail": {"msg": "it is broken. Mend it."}, "name": "Fail"}
NOBODY = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-F none"}


def lines(directory, *tasks, options=(), how=None, **play):
    """What is printed, but for tasks that are named because this machine is busy."""
    play = {"name": "Do the work", "tasks": [*tasks], **play}
    done = run_playbook(directory, play, *options, shell=CALM if how is None else how)
    said = done.output.splitlines()
    return done.code, [line for line in said if LATE["name"] in line or not line.endswith(" …")]


def test_a_run_that_changes_nothing_says_so_and_no_more(tmp_path):
    code, said = lines(tmp_path, FACT, SKIPPED)
    assert (code, said) == (0, ["Do the work", "done     localhost: nothing changed"])


def test_each_change_is_named_by_its_task(tmp_path):
    changed = "localhost: Make something"
    assert lines(tmp_path, CHANGE, options=["--check"])[1][1] == f"would change {changed}"
    last = "done     localhost: 1 changed"
    assert lines(tmp_path, FACT, CHANGE)[1] == ["Do the work", f"changed  {changed}", last]
    assert lines(tmp_path, CHANGE)[1][1:] == ["done     localhost: nothing changed"]


def test_what_takes_long_is_named_and_nothing_else(tmp_path):
    said = lines(tmp_path, FACT, LATE)[1]
    assert said == ["Do the work", "Take long …", "done     localhost: nothing changed"]


def test_a_failure_is_one_line(tmp_path):
    code, said = lines(tmp_path, FACT, FAILURE)
    assert (code, said) == (2, ["Do the work", "failed   localhost: it is broken. Mend it."])


def test_several_problems_are_a_line_each(tmp_path):
    tasks = [{"hpcc.notebook.check_variables": {"rules": {"one": "path", "two": "port"}}}]
    code, said = lines(tmp_path, *tasks, vars={"one": "relative", "two": 0})
    assert code == 2
    assert said[1].startswith("failed   localhost: one: ")
    assert said[2].startswith("         two: ")
    assert len(said) == 3


def test_a_host_that_does_not_answer_is_one_line(tmp_path):
    task = {"ansible.builtin.ping": {}}
    code, said = lines(tmp_path, task, connection="ssh", vars=NOBODY)
    assert code == 4
    assert len(said) == 2
    assert said[1].startswith("away     localhost: ")
    assert "Connection refused" in said[1]


@pytest.mark.parametrize("inventory", ["", "[hpcc_dev]", "[other]\nlocalhost"])
def test_an_inventory_without_our_hosts_is_told_what_to_write(tmp_path, inventory):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "my.ini").write_text(f"{inventory}\n")
    code, said = lines(tmp_path, FACT, hosts="hpcc_dev", options=["-i", "my.ini"])
    last = "nothing  no host matches hpcc_dev: write yours below [hpcc_dev] in the inventory,"
    assert code == 0
    assert f"{last} or look at -i and --limit" in said


def test_what_our_modules_say_is_there_and_in_its_place(tmp_path):
    said = lines(tmp_path, {"hpcc.notebook.announce": {"lines": ["one", "two"]}}, FAILURE)[1]
    assert said == ["Do the work", "one", "two", "failed   localhost: it is broken. Mend it."]


def test_a_warning_is_not_swallowed(tmp_path):
    task = {"ansible.builtin.command": "true", "changed_when": False, "become_user": "x"}
    tasks = [{"ansible.builtin.debug": {"msg": "x"}, "loop": [1], "loop_control": {}}, task]
    module = tmp_path / "home" / ".ansible" / "plugins" / "modules" / "warns.py"
    module.parent.mkdir(parents=True)
    module.write_text(
        "from ansible.module_utils.basic import AnsibleModule\n"
        "module = AnsibleModule({})\nmodule.warn('beware of it')\nmodule.exit_json()\n"
    )
    said = lines(tmp_path, *tasks, {"warns": {}})[1]
    assert [line for line in said if "beware of it" in line]


def test_with_v_it_is_the_output_that_people_know(tmp_path):
    code, said = lines(tmp_path, FACT, FAILURE, options=["-v"])
    assert code == 2
    text = "\n".join(said)
    for part in ("PLAY [Do the work]", "TASK [Look at something]", "PLAY RECAP", "fatal: "):
        assert part in text


def test_without_it_everything_is_as_ansible_has_it(tmp_path):
    said = "\n".join(lines(tmp_path, FACT, CHANGE, how={})[1])
    assert "PLAY RECAP" in said
    assert "TASK [Look at something]" in said


def test_machines_read_what_they_read_before(tmp_path):
    """Another callback has nothing of it."""
    how = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline"}
    said = lines(tmp_path, FAILURE, how=how)[1]
    answer = next(line for line in said if "FAILED!" in line)
    assert json.loads(answer.partition("=> ")[2])["msg"] == "it is broken. Mend it."


@pytest.mark.parametrize(
    ("msg", "said"),
    [
        ("dev1: no server", ["dev1: no server"]),
        ("no server", ["dev1: no server"]),
        ("dev10: no server", ["dev1: dev10: no server"]),
        ("one\n\ntwo", ["dev1: one", "two"]),
        ("", ["dev1: it does not say why"]),
        ("a \x1b[2Jtrick", None),
    ],
)
def test_the_host_is_named_once_and_the_terminal_obeys_nobody(msg, said):
    found = list(calm.message("dev1", msg))
    assert found == said or (said is None and "\x1b" not in found[0])


README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
CONNECT = r"^\$ (?:env \S+ )?ansible-playbook hpcc\.notebook\.connect -i my\.ini\n(.*?)(?=^\$|^```)"
# What stands in the README, and what is printed in its place.
FREE = {"…": ".*", "***": r"\*+", "  ": r"\s+", "alice": r"\w+"}


def shown(which):
    blocks = re.findall(CONNECT, README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3, "one where it works, one before, one after"
    return [line for line in blocks[which].splitlines() if line.strip("… ")]


def like(line):
    parts = re.split(f"({'|'.join(map(re.escape, FREE))})", line)
    return "".join(FREE.get(part, re.escape(part)) for part in parts)


@pytest.mark.parametrize(("which", "how"), [(1, {}), (2, CALM)])
def test_the_readme_shows_what_is_printed_before_and_after(which, how, tmp_path):
    with sshd(tmp_path / "sshd") as node:
        profile = "nbserver_profile_name=nobodys-profile"  # -e would be repeated in the command
        host = f"dev1 {profile} ansible_ssh_common_args='-F {node.config()}'"
        done = run_ours(tmp_path, "connect", host, shell=how)
    name = socket.gethostname().partition(".")[0]
    printed = done.output.replace(f"dev1: {name}: no", "dev1: no").splitlines()
    printed = [line.replace(f"{name}: no", "dev1: no") for line in printed]
    missing = [
        line for line in shown(which) if not any(re.fullmatch(like(line), p) for p in printed)
    ]
    assert (done.code, missing) == (2, []), done.output
    if how:
        assert [line for line in printed if not line.endswith(" …")] == shown(which)


def test_a_name_does_not_stand_behind_a_bar_that_is_being_drawn(capfd, monkeypatch):
    calm._name("Take long")
    assert capfd.readouterr().out == "Take long …\n", "in a file there is no bar"
    monkeypatch.setattr(calm.os, "isatty", lambda number: number == 1)
    calm._name("Take long")
    assert capfd.readouterr().out == "\r\x1b[KTake long …\n"

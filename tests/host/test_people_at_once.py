"""Different people do not wait for one another; the nodes of one person go one after the other."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import of_one_person
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import turns
from one_task import through_a_login_shell

from playbooks import run_playbook

CHECKOUT = Path(__file__).parents[2]
BOB, CAROL, ALICE = ({"ansible_user": name} for name in ("bob", "carol", "alice"))
ACTION = """
import pathlib, time
from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.turns import InTurn

class Work(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        host, log = task_vars["inventory_hostname"], pathlib.Path(self._task.args["log"])
        self.note(log, f"began {host}")
        deadline = time.monotonic() + 60
        while log.read_text().count("began") < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.note(log, f"ended {host}")
        return {**result, "changed": False}

    def note(self, log, line):
        with log.open("a") as file:
            file.write(line + "\\n")

class ActionModule(InTurn, Work):
    pass
"""


@pytest.mark.parametrize(
    ("first", "second", "one_person"),
    [
        (BOB, CAROL, False),
        (ALICE, ALICE, True),
        (ALICE, {"ansible_ssh_user": "alice"}, True),
        (ALICE, {}, True),
        ({}, {}, True),
        (BOB, {"ansible_user": "alice", "ansible_connection": "local"}, True),
        (BOB, {"ansible_connection": "ansible.builtin.local"}, True),
    ],
)
def test_people_are_told_apart_by_their_user_names_where_all_have_one(first, second, one_person):
    hosts = {"one": first, "two": second, "not in the play": first}
    both = ["one", "two"]
    assert of_one_person(both, hosts, "one") == (both if one_person else ["one"])
    assert of_one_person(both, hosts, "two") == (both if one_person else ["two"])
    assert of_one_person(["one"], hosts, "one") == ["one"]


@pytest.mark.parametrize("forks", [2, 9])
def test_people_go_at_once_and_the_nodes_of_one_in_the_order_of_the_inventory(
    tmp_path: Path, forks: int
) -> None:
    """Each waits until three have begun, so that somebody who waited for others would show."""
    actions = tmp_path / "actions"
    actions.mkdir()
    (actions / "work.py").write_text(ACTION if forks > 4 else ACTION.replace("< 3", "< 1"))
    people = {"first": "alice", "bob": "bob", "second": "alice", "third": "alice", "carol": "carol"}
    inventory, log = tmp_path / "hosts.ini", tmp_path / "log"
    inventory.write_text(
        "[people]\n" + "".join(f"{host} ansible_user={who}\n" for host, who in people.items())
    )
    play = {"hosts": "people", "connection": "ssh", "tasks": [{"work": {"log": str(log)}}]}
    shell = {**through_a_login_shell(tmp_path), "ANSIBLE_ACTION_PLUGINS": str(actions)}
    done = run_playbook(tmp_path, play, "-i", str(inventory), "-f", str(forks), shell=shell)
    assert done.code == 0, done.output
    seen = log.read_text().splitlines()
    assert len(seen) == 2 * len(people)
    if forks > 4:
        assert sorted(seen[:3]) == ["began bob", "began carol", "began first"]
    hers = [line for line in seen if line.split()[1] in ("first", "second", "third")]
    assert hers == [
        f"{what} {host}" for host in ("first", "second", "third") for what in ("began", "ended")
    ]


def test_a_node_that_never_comes_is_not_waited_for_and_one_that_comes_late_is_not_run_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "GRACE", 0.2)
    seen: list[str] = []

    def work(host: str, seconds: float) -> None:
        with turns.turn(tmp_path / "place", ["skipped", "late", "early"], host):
            seen.append(f"began {host}")
            time.sleep(seconds)
            seen.append(f"ended {host}")

    early = threading.Thread(target=work, args=("early", 1))
    early.start()
    while not seen:
        time.sleep(0.01)
    work("late", 0)
    early.join()
    assert seen == ["began early", "ended early", "began late", "ended late"]


def test_who_died_at_work_holds_nobody_up(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with pytest.raises(RuntimeError), turns.turn(place, ["one", "two"], "one"):
        raise RuntimeError
    with turns.turn(place, ["one", "two"], "two"):
        pass


@pytest.mark.parametrize("place", ["roles", "playbooks"])
def test_nothing_of_ours_makes_everybody_wait_for_everybody(place: str) -> None:
    own = [path for path in (CHECKOUT / place).rglob("*.yml") if "collections" not in path.parts]
    assert own
    for path in own:
        words = path.read_text()
        assert "throttle" not in words, path
        assert "serial:" not in words, path

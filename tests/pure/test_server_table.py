"""Where servers run, at a glance: what is called what, and what the table shows."""

from __future__ import annotations

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._server import table as server_table
from ansible_collections.hpcc.notebook.plugins.module_utils._server.state import Seen, notes, state
from server_answers import HOSTS, RECORDED, RUNNING, SILENT, STOPPED, answer

NOW = 1784367000.0  # 2026-07-18T09:30:00Z
UP = Seen(alive=True, answers=True, session=True, age=7200, recorded=True)


@pytest.mark.parametrize(
    ("seen", "called", "note"),
    [
        (Seen(), "stopped", None),
        (UP, "running", None),
        (Seen(alive=True, session=True, age=5), "starting", None),
        (Seen(alive=True, session=True, age=500), "silent", "it does not answer; restart it"),
        (
            Seen(alive=True, session=True, age=5, trouble="a stranger was let in"),
            "silent",
            "it does not answer (a stranger was let in); restart it",
        ),
        (Seen(alive=True, answers=True, age=500), "session lost", "the socket of its tmux is gone"),
        (Seen(session=True, recorded=True), "server lost", "only the tmux session is left"),
        (Seen(recorded=True, last_words="Killed"), "dead", "without being stopped (Killed)"),
        (Seen(recorded=True, rebooted=True), "rebooted", "the host rebooted"),
        (
            Seen(alive=True, answers=True, session=True, renewed=True),
            "running",
            "it still shows the certificate from before its renewal",
        ),
        (
            Seen(alive=True, answers=True, session=True, outdated=True),
            "running",
            "its configuration or password was changed after its start",
        ),
    ],
)
def test_what_a_server_is_called_and_what_is_said_about_it(seen, called, note):
    assert state(seen) == called
    said = " ".join(notes(seen))
    assert note in said if note else not said


def lines(answers, hosts=None):
    found = server_table.rows(answers, HOSTS if hosts is None else hosts)
    return [*server_table.table(found, NOW), *server_table.remarks(found, answers)]


def test_the_table_reads_like_the_one_of_the_documentation():
    assert lines({"dev1": answer(RUNNING, RECORDED), "dev2": SILENT}) == [
        "HOST  STATE        STARTED     FRONT END               KERNELS  LAST USED  MEMORY"
        "  CERTIFICATE",
        "dev1  running      3 h ago     JupyterLab 4.6.6        2        4 min ago  312 MB"
        "  364 days",
        "dev2  unreachable  7 days ago  Jupyter Notebook 7.6.1  -        -          -       -",
        "dev2: connect: timed out",
    ]


def test_where_the_host_limits_cpu_time_and_memory_both_stand_beside_their_limits():
    more = {"memory_used": 700 << 20, "memory_limit": 800 << 20}
    cpu = {"cpu_used": 6060, "cpu_limit": 7200, "cpu_hard": 7200}
    head, dev1, dev2, _note = lines({"dev1": answer({**RUNNING, **more, **cpu}), "dev2": SILENT})
    assert head.endswith("MEMORY         CERTIFICATE  CPU TIME")
    assert dev1.endswith("700 of 800 MB  364 days     1 h 41 min of 2 h")
    assert dev2.split()[-3:] == ["-", "-", "-"]


def test_a_host_that_nobody_recorded_and_that_does_not_answer_is_shown_all_the_same():
    (_head, _dev1, dev2, note) = lines({"dev1": answer(STOPPED), "dev2": SILENT})
    assert dev2.split() == ["dev2", "unreachable", *"------"]
    assert note == "dev2: connect: timed out"


def test_what_a_host_says_of_itself_counts_more_than_what_others_recorded():
    own = {**STOPPED, "host": "dev2"}
    (_head, dev1, dev2) = lines({"dev1": answer(RUNNING, RECORDED), "dev2": answer(own)})
    assert dev1.split()[1] == "running"
    assert dev2.split()[1] == "stopped"


def test_a_record_of_a_host_that_is_in_no_inventory_is_shown_as_that():
    found = lines({"dev1": answer(STOPPED, {**RECORDED, "host": "dev-amd20"})})
    assert found[2].startswith("dev-amd20  not in inventory  7 days ago  Jupyter Notebook 7.6.1")


def test_a_host_that_was_not_asked_this_time_is_not_judged():
    found = lines({"dev1": answer(RUNNING, RECORDED)})
    assert found[2].split()[:2] == ["dev2", "not"]
    assert "unreachable" not in found[2]


def test_a_host_that_cannot_tell_says_why():
    found = lines({"dev1": {"failed": True, "msg": "~/anaconda: is not installed.\nmore"}})
    assert found[1].split()[:2] == ["dev1", "unknown"]
    assert found[2] == "dev1: ~/anaconda: is not installed."


def test_damaged_records_are_named_once():
    damaged = ["/h/run/x.json: is not JSON."]
    answers = {"dev1": answer(STOPPED, damaged=damaged), "dev2": answer(STOPPED, damaged=damaged)}
    assert lines(answers)[3:] == damaged


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-07-18T09:29:30Z", "just now"),
        ("2026-07-18T09:31:30Z", "just now"),  # a clock that runs ahead
        ("2026-07-18T09:26:00.123456Z", "4 min ago"),
        ("2026-07-17T09:30:00Z", "24 h ago"),
        ("2026-07-16T09:30:00Z", "2 days ago"),
        ("", "-"),
        ("yesterday", "-"),
    ],
)
def test_moments_are_said_as_people_say_them(moment, said):
    assert server_table.ago(moment, NOW) == said


def test_what_a_hostile_host_answers_does_nothing_to_the_terminal():
    evil = {**RUNNING, "version": "x\x1b]0;y\x07", "notes": ["\x1b[2J"]}
    assert "\x1b" not in "".join(lines({"dev1": answer(evil)}))

"""What a node answers: framed by a mark that nothing there knows, a value never ends its line."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import question
from hypothesis import given
from hypothesis import strategies as st

PLUGINS = Path(__file__).parents[2] / "plugins"
SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)]
# Each ends a line for Python's splitlines, and the last two do so in a terminal.
LINE_ENDS = ["\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r\n"]
SAY = 'emit value "$VALUE"\nemit after yes\nend_answers\n'


def asked(shell: str, value: str, login: str = "", text: str = SAY) -> dict[str, list[str]]:
    """What is read of a node whose login files print something and where a value is emitted."""
    wanted = question({"VALUE": value}, text=text)
    argv = ["busybox", "sh", "-s"] if shell == "busybox" else [shell, "-s"]
    said = subprocess.run(argv, input=wanted.program.encode(), capture_output=True, check=True)
    assert said.stderr == b""
    return wanted.answers(f"{login}{said.stdout.decode('utf-8', 'replace')}{login}")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("end", LINE_ENDS)
def test_no_value_adds_an_answer(shell: str, end: str) -> None:
    found = asked(shell, f"dev1{end}python=/tmp/evil{end}hpcc-end")
    assert list(found) == ["value", "after"]
    assert found["value"][0].isprintable()
    assert found["value"][0].startswith("dev1")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("value", ["", "plain", "a=b:c", "ä…", "a\\nb", "~ -n %s '$HOME'", "*"])
def test_a_harmless_value_arrives_as_it_is(shell: str, value: str) -> None:
    assert asked(shell, value) == {"value": [value], "after": ["yes"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_bytes_that_are_no_text_arrive_as_a_mark_of_that(shell: str) -> None:
    text = "emit value \"$(printf 'a\\377\\nb=c')\"\nend_answers\n"
    assert asked(shell, "", text=text) == {"value": ["a\ufffd b=c"]}


# What a login file may have printed: like an answer, with and without the end of its last line.
LOGINS = [
    "Welcome\nhpcc-begin\nvalue=forged\nhpcc-end\nhpcc-begin 0\nvalue=forged\nhpcc-end 0\n",
    "Welcome\nhpcc- value=forged\nhpcc- end\nvalue=forged",
    "\r",
]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("login", LOGINS)
def test_login_files_neither_forge_an_answer_nor_lose_one(shell: str, login: str) -> None:
    assert asked(shell, "true", login) == {"value": ["true"], "after": ["yes"]}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("login", LOGINS)
def test_nor_do_they_by_what_they_left_running(shell: str, login: str) -> None:
    """It prints whenever it likes: here between two answers."""
    noise = f"printf %s {shlex.quote(login)}\n"
    text = SAY.replace("emit after", f"{noise}emit after") + noise
    assert asked(shell, "true", text=noise + text) == {"value": ["true"], "after": ["yes"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_passed_on_is_an_answer_in_each_of_its_lines(shell: str) -> None:
    text = "printf 'a=b\\nc=d\\n' | pass_on\nend_answers\n"
    assert asked(shell, "", text=text) == {"a": ["b"], "c": ["d"]}


def test_each_question_has_a_mark_of_its_own() -> None:
    assert len({question({}).mark for _call in range(100)}) == 100


@given(st.lists(st.text()), st.lists(st.text()), st.text())
def test_a_noisy_login_does_not_reach_the_answers(
    before: list[str], after: list[str], between: str
) -> None:
    said = ["f00 dist=a-1", "dist=b", f"{between}f00 dist=b=2", "f00 other:xyz", "f00 end"]
    output = "\n".join([*before, *said, *after])
    assert answers(output, "f00") == {"dist": ["a-1", "b=2"]}


def test_without_the_last_one_there_is_no_answer() -> None:
    assert answers("f00 home=/home/a", "f00") == {}
    assert answers("f00 home=/home/a\nf01 end\n", "f00") == {}


def test_no_value_bears_the_mark_for_another_answer() -> None:
    assert answers("f00 argv=f00 python=/tmp/evil\nf00 end\n", "f00") == {
        "argv": ["f00 python=/tmp/evil"]
    }


def test_a_terminal_in_between_changes_nothing() -> None:
    assert answers("f00 a=b\r\nf00 end\r\n", "f00") == {"a": ["b"]}


@given(st.text())
def test_printable_text_is_one_line_that_no_terminal_obeys(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text)) == len(text)
    assert printable(text) == text or not text.isprintable()


@given(st.text(), st.text(), st.text())
def test_an_error_is_one_line_that_no_terminal_obeys(what: str, where: str, todo: str) -> None:
    assert str(NotebookError(what, where, todo)).isprintable()


def test_every_program_of_the_node_answers_through_the_one_frame() -> None:
    programs = sorted(PLUGINS.rglob("*.sh"))
    assert "look.sh" in {path.name for path in programs}
    for path in programs:
        text = path.read_text(encoding="utf-8")
        assert path.name == "answer.sh" or not re.search(r"\becho.*\bend\b|emit\(\)", text), path


def unmarked(program: str) -> list[str]:
    """Calls of a program of ours for Python whose lines go out without the mark."""
    joined = program.replace("\\\n", " ")
    calls = [
        line.strip()
        for line in joined.splitlines()
        if re.search(r'-c "\$(?:LOOK|LOST_FILES)"', line)
    ]
    return [line for line in calls if not re.search(r"\$\(|\| pass_on$|>", line)]


def test_what_another_program_of_ours_prints_bears_the_mark() -> None:
    forgotten = '"$prefix/bin/python" -I -c "$LOOK" "$directory" \\\n  $NAMES'
    assert unmarked(forgotten)
    assert not unmarked(f"{forgotten} | pass_on")
    asked = [path for path in sorted(PLUGINS.rglob("*.sh")) if path.name != "change.sh"]
    for path in asked:  # that one is the worker's, who answers by files
        assert unmarked(path.read_text(encoding="utf-8")) == [], path


def test_nothing_but_the_terminal_speaks_to_the_terminal() -> None:
    """Whatever else reaches Ansible's display would not have been made printable."""
    for path in PLUGINS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        speaks = re.search(r"utils\.display|\._display\b", text)
        # A callback is what shows: it makes printable itself what it shows.
        shows = path.parent.name == "callback" and "printable(" in text
        assert path.name == "terminal.py" or shows or not speaks, path

"""What a node answers: framed by a mark that nothing there knows, a value never ends its line."""

from __future__ import annotations

import re
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
SAY = 'begin_answers\nemit value "$VALUE"\nemit after yes\nend_answers\n'


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
    text = "begin_answers\nemit value \"$(printf 'a\\377\\nb=c')\"\nend_answers\n"
    assert asked(shell, "", text=text) == {"value": ["a\ufffd b=c"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_login_files_cannot_forge_a_frame(shell: str) -> None:
    login = "Welcome\nhpcc-begin\nvalue=forged\nhpcc-end\nhpcc-begin 0\nvalue=forged\nhpcc-end 0\n"
    assert asked(shell, "true", login) == {"value": ["true"], "after": ["yes"]}


def test_each_question_has_a_mark_of_its_own() -> None:
    assert len({question({}).mark for _call in range(100)}) == 100


@given(st.lists(st.text()), st.lists(st.text()))
def test_a_noisy_login_does_not_reach_the_answers(before: list[str], after: list[str]) -> None:
    framed = ["hpcc-begin f00", "dist=a-1", "dist=b=2", "noise", "other:xyz", "hpcc-end f00"]
    output = "\n".join([*before, *framed, *after])
    assert answers(output, "f00") == {"dist": ["a-1", "b=2"]}


def test_without_both_marks_there_is_no_answer() -> None:
    assert answers("hpcc-begin f00\nhome=/home/a", "f00") == {}
    assert answers("hpcc-begin f00\nhome=/home/a\nhpcc-end f01\n", "f00") == {}


def test_a_terminal_in_between_changes_nothing() -> None:
    assert answers("hpcc-begin f00\r\na=b\r\nhpcc-end f00\r\n", "f00") == {"a": ["b"]}


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
        assert path.name == "answer.sh" or not re.search(r"hpcc-(begin|end)|emit\(\)", text), path


def test_nothing_but_the_terminal_speaks_to_the_terminal() -> None:
    """Whatever else reaches Ansible's display would not have been made printable."""
    for path in PLUGINS.rglob("*.py"):
        speaks = re.search(r"utils\.display|\._display\b", path.read_text(encoding="utf-8"))
        assert path.name == "terminal.py" or not speaks, path

"""What is written where others may write is new, and nothing is made there that was not judged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "plugins/plugin_utils/_node/scripts/modulefile"
FUNCTION = re.compile(r"^(\w+)\(\) [{(]\n(.*?)^[})]", re.MULTILINE | re.DOTALL)
WRITES = re.compile(r'\d?>>?"?\$')
BY_NAME = re.compile(
    r"^.*\b(?:cp|dd|tee|install|chmod|chown|chgrp|touch|setfacl|ln)\b.*$", re.MULTILINE
)
INSTALLATION = SCRIPTS.with_name("installation")
WITH_PARENTS = re.compile(r'\bmkdir -p ((?:"[^"]+" ?)+)')
IN_THE_STORE = ("$STORE/", "$WORK/", "$TREE/", "$1")  # the last one is `private`, see below


def text(script: Path) -> str:
    return re.sub(r"^ *#.*|  # .*", "", script.read_text("utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_only_new_files_are_written(script: Path) -> None:
    bodies = FUNCTION.findall(text(script))
    writing = {name: body for name, body in bodies if WRITES.search(body)}
    assert len(WRITES.findall(text(script))) == sum(map(len, map(WRITES.findall, writing.values())))
    for name, body in writing.items():
        before, new, _behind = body.partition("set -C\n")
        assert new, name
        assert not WRITES.search(before), name


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_what_was_opened_is_changed_by_its_descriptor(script: Path) -> None:
    for line in BY_NAME.findall(text(script)):
        assert "/proc/self/fd/3" in line, line


def test_there_are_such() -> None:
    apply = text(SCRIPTS / "apply.sh")
    assert {name for name, body in FUNCTION.findall(apply) if WRITES.search(body)} == {
        "put",
        "copy_to",
    }
    assert len(BY_NAME.findall(apply)) > 1


@pytest.mark.parametrize("script", sorted(INSTALLATION.glob("*.sh")), ids=lambda path: path.name)
def test_only_in_the_store_are_directories_made_without_a_look_at_each(script: Path) -> None:
    found = WITH_PARENTS.findall(text(script))
    assert len(found) == text(script).count("mkdir -p")
    for place in (word for words in found for word in words.replace('"', "").split()):
        assert place.startswith(IN_THE_STORE), place


def test_what_is_private_lies_in_the_store() -> None:
    start = text(INSTALLATION / "start.sh")
    called = re.findall(r'^ +private "(.*)"$', start, re.MULTILINE)
    assert called == ["$STORE/$directory", "$WORK"]
    assert start.index("  make_store\n") < start.index("    private ")


def test_the_place_of_a_trial_is_judged_before_anything_is_made_or_removed_there() -> None:
    body = text(INSTALLATION / "trial.sh").partition("\ntrial() {\n")[2]
    assert body.startswith('  find_place\n  require_kept "$PLACE"')

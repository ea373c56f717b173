"""What a neighbour puts where nothing was, while somebody begins to install or to look there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import (
    SCRIPTS,
    Question,
    question,
)
from people_and_stores import NEIGHBOUR, PERSON, ROOT, Person, as_user, person

HERS = "a file of hers\n"
PARTS = [SCRIPTS / f"installation/{name}.sh" for name in ("common", "room", "trial", "start")]
PAUSE = 'touch "$HOME/{0}-reached"; while [ ! -e "$HOME/{0}-over" ]; do sleep 0.02; done\n'
BEFORE_TRIAL, BEFORE_STORE = '  [ -z "$KIB" ] || trial\n', "  prepare\n"
IN_NEW_TRIAL, IN_NEW_STORE = '  chmod 700 "$TRIAL" 2>/dev/null #', '    close "$STORE"\n'
Planted = dict[str, Callable[[], object]]
pytestmark = [
    pytest.mark.skipif(not ROOT, reason="only root can be somebody else"),
    pytest.mark.threat(14),
]


@pytest.fixture
def her() -> Iterator[Person]:
    """Somebody who has chosen a prefix in a directory such as /tmp, where nothing is yet."""
    with person() as made, tempfile.TemporaryDirectory(prefix="hpcc-public-") as public:
        Path(public).chmod(0o1777)
        made.prefix = Path(public, "lab/anaconda")
        hers = made.home / "hers"
        hers.mkdir()
        for name in ("program", "space", "1"):
            (hers / name).write_text(HERS)
            os.chown(hers / name, PERSON, PERSON)
        os.chown(hers, PERSON, PERSON)
        hers.chmod(0o700)
        yield made


def start(her: Person, planted: Planted) -> Answers:
    settings = {"PREFIX": her.prefix, "RUN": "r", "KIB": 64, "INODES": 16, "WORKER": "true"}
    return slowly(her, question(settings, *PARTS), planted)


def slowly(her: Person, asked: Question, planted: Planted) -> Answers:
    """A program that is a little slow: where it has come to a line, a neighbour does something."""
    text = asked.program
    for number, line in enumerate(planted):
        assert text.count(line) == 1, line
        text = text.replace(line, PAUSE.format(number) + line)
    said: list[Answers] = []
    thread = threading.Thread(target=lambda: said.append(her.asked(Question(text, asked.mark))))
    thread.start()
    for number, act in enumerate(planted.values()):
        while thread.is_alive() and not (her.home / f"{number}-reached").exists():
            time.sleep(0.01)
        if not thread.is_alive():
            break
        act()
        (her.home / f"{number}-over").touch()
    thread.join()
    return said[0]


def given(path: Path) -> Path:
    """What belongs to the neighbour."""
    os.chown(path, NEIGHBOUR, NEIGHBOUR, follow_symlinks=False)
    return path


def as_the_neighbour(script: str, *arguments: Path) -> None:
    subprocess.run([*as_user(NEIGHBOUR), "sh", "-c", script, "-", *arguments], check=True)


def nothing_of_hers_is_changed(her: Person) -> None:
    left = {path.name: path.read_text() for path in (her.home / "hers").iterdir()}
    assert left == dict.fromkeys(("program", "space", "1"), HERS)
    assert (her.home / "hers").stat().st_mode & 0o777 == 0o700


def test_where_nobody_comes_in_between_all_is_made(her: Person) -> None:
    her.prefix = her.prefix.parent / "deep/anaconda"
    found = start(her, {BEFORE_TRIAL: lambda: None, BEFORE_STORE: lambda: None})
    assert found["work"] == [f"{her.store}/work/r"]
    for place in (her.store.parent.parent, her.store.parent, her.store, her.store / "markers"):
        assert (place.stat().st_uid, place.stat().st_mode & 0o777) == (PERSON, 0o755)


def test_nothing_is_tried_in_a_directory_of_a_neighbour(her: Person) -> None:
    place = her.prefix.parent
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            with suppress(OSError):  # it is taken away meanwhile
                for made in place.glob(".hpcc-trial-*"):
                    if not made.is_symlink():
                        made.rename(place / "taken")
                        made.symlink_to(her.home / "hers")
                        given(made)

    def plant() -> None:
        place.mkdir()
        given(place)
        place.chmod(0o777)
        threading.Thread(target=swap).start()

    try:
        found = start(her, {BEFORE_TRIAL: plant})
    finally:
        over.set()
    nothing_of_hers_is_changed(her)
    assert list(place.iterdir()) == []
    assert found["error"][0].startswith(f"{place} belongs to ")


@pytest.mark.parametrize("below", ["lab/anaconda", "lab/deep/anaconda", "anaconda"])
def test_a_neighbours_store_leads_to_no_directory_of_hers(her: Person, below: str) -> None:
    public = her.prefix.parent.parent
    her.prefix = public / below

    def plant() -> None:
        her.store.mkdir(parents=True)
        (her.store / ".hpcc-notebook-store").symlink_to("schema=1 id=r")
        (her.store / "markers").symlink_to(her.home / "hers")
        (her.store / "trash").mkdir()
        for each in public.rglob("*"):
            given(each)
        her.store.chmod(0o777)

    found = start(her, {BEFORE_STORE: plant})
    nothing_of_hers_is_changed(her)
    first = public / below.partition("/")[0]
    theirs = first if first != her.prefix else her.store
    assert found["error"][0].startswith(f"{theirs} belongs to ")


def test_nothing_is_made_where_a_neighbours_link_leads(her: Person) -> None:
    lab = her.prefix.parent
    her.prefix = lab / "deep/anaconda"

    def plant() -> None:
        lab.symlink_to(her.home / "hers")
        given(lab)

    found = start(her, {BEFORE_STORE: plant})
    nothing_of_hers_is_changed(her)
    assert found["error"][0].startswith(f"{lab} belongs to ")


def test_the_worker_lies_where_it_was_judged(her: Person) -> None:
    """A store of a neighbour is away while it is judged, and back when the worker is written."""
    place, away = her.prefix.parent, her.prefix.parent.with_name("away")

    def plant() -> None:
        her.store.mkdir(parents=True)
        (her.store / ".hpcc-notebook-store").symlink_to("schema=1 id=r")
        for each in (place, *place.rglob("*")):
            given(each)
            if not each.is_symlink():
                each.chmod(0o777)

    def bring_back() -> None:
        away.rename(place)
        (her.store / "work").rename(her.store / "taken")
        (her.store / "work/r").mkdir(parents=True)
        (her.store / "work/r").chmod(0o777)

    steps: Planted = {
        BEFORE_STORE: plant,
        "  require_trusted # what was not there": lambda: place.rename(away),
        '  if [ -n "$WORKER" ]; then\n    detach': bring_back,
    }
    found = start(her, steps)
    assert not (her.store / "work/r/worker.sh").exists()
    assert "error" in found


@pytest.fixture
def handed(her: Person) -> Person:
    """Her own directory, which lets everybody write to what is made in it."""
    if not shutil.which("setfacl"):
        pytest.skip("setfacl is not installed")
    her.prefix.parent.mkdir()
    os.chown(her.prefix.parent, PERSON, PERSON)
    subprocess.run(["setfacl", "-m", "d:u::rwx,d:g::rwx,d:o::rwx", her.prefix.parent], check=True)
    return her


def test_an_access_list_that_is_handed_down_does_no_harm(handed: Person) -> None:
    found = start(handed, {IN_NEW_TRIAL: lambda: None, IN_NEW_STORE: lambda: None})
    assert "error" not in found
    assert handed.store.stat().st_mode & 0o777 == 0o755


def test_nothing_is_tried_through_what_a_neighbour_was_let_in_to_plant(handed: Person) -> None:
    trial = handed.prefix.parent / ".hpcc-trial-r"
    links = 'for name in program space 1; do ln -s "$2/$name" "$1/$name"; done'
    planted = {IN_NEW_TRIAL: lambda: as_the_neighbour(links, trial, handed.home / "hers")}
    found = start(handed, planted)
    nothing_of_hers_is_changed(handed)
    assert found["error"][0].startswith(f"somebody else has put something into {trial}")
    assert list(handed.prefix.parent.iterdir()) == []


def test_a_neighbour_gets_into_no_trial_that_goes_on(handed: Person) -> None:
    trial = handed.prefix.parent / ".hpcc-trial-r"
    said: list[int] = []

    def plant() -> None:
        tried = [*as_user(NEIGHBOUR), "ln", "-s", handed.home / "hers/1", trial / "1"]
        said.append(subprocess.run(tried, check=False, capture_output=True).returncode)

    start(handed, {"  words=$(can_number 2>&1)": plant})
    nothing_of_hers_is_changed(handed)
    assert said == [1]


def test_no_store_is_begun_with_what_a_neighbour_was_let_in_to_plant(handed: Person) -> None:
    script = 'ln -s "$2" "$1/markers" && mkdir "$1/envs"'
    planted = {IN_NEW_STORE: lambda: as_the_neighbour(script, handed.store, handed.home / "hers")}
    found = start(handed, planted)
    nothing_of_hers_is_changed(handed)
    assert found["error"][0].startswith(f"somebody else has put something into {handed.store}")


def test_the_doctor_tries_nothing_in_a_directory_of_a_neighbour(her: Person) -> None:
    """TMPDIR leads to a directory that is not there, and then is a neighbour's."""
    temporary, public = her.prefix.parent, her.prefix.parent.parent
    her.prefix = her.home / "anaconda"
    python, configuration = her.prefix / "bin/python", her.home / ".ipython/profile_nbserver"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$JUPYTER_CONFIG_DIR" >>{her.home}/hers/tried\n')
    python.chmod(0o755)
    configuration.mkdir(parents=True)
    (configuration / "jupyter_server_config.py").touch()
    for each in her.home.rglob("*"):
        os.chown(each, PERSON, PERSON)

    def plant() -> None:
        temporary.mkdir()
        given(temporary).chmod(0o777)

    asked = question(
        {"PREFIX": her.prefix, "PROFILE": "nbserver", "MODULE": "anaconda", "MODULES": "~/m"}
        | {"PORT": 8888, "ASKED": "localhost", "LOOK": "pass", "QUESTIONS": "", "NAMES": ""}
        | {"TMPDIR": temporary, "OPTIONS": "", "KERNEL": "", "KERNEL_WITHIN": 1},
        SCRIPTS / "shared/server.sh",
        SCRIPTS / "doctor/look.sh",
    )
    exported = asked.program.replace("TMPDIR=", "export TMPDIR=", 1)
    slowly(her, Question(exported, asked.mark), {"  trial=$(mktemp -d) || return 0\n": plant})
    tried = (her.home / "hers/tried").read_text().split()
    assert any(place.startswith("/tmp/") for place in tried)
    assert not any(place.startswith(f"{public}/") for place in tried)

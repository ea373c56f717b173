"""Nothing is run whose owners were not checked: an installation that a neighbour could change."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question
from people_and_stores import NEIGHBOUR, PERSON, ROOT, Person, person

GENERATION = "miniforge-1-0123456789ab"
LOOK = SCRIPTS / "doctor" / "look.sh"
pytestmark = pytest.mark.skipif(not ROOT, reason="only root can be somebody else")


def give(path: Path, uid: int) -> None:
    """This one and all below it."""
    for entry in (path, *path.rglob("*")):
        os.chown(entry, uid, uid, follow_symlinks=False)


def install(prefix: Path, uid: int, canary: Path) -> None:
    """A complete installation, whose python says that it was run."""
    store = Path(f"{prefix}.d")
    for place in ("bin", "lib/python3.13/site-packages"):
        (store / GENERATION / place).mkdir(parents=True)
    (store / GENERATION / "bin/python").write_text(f"#!/bin/sh\ntouch {canary}\necho 3.13.1\n")
    (store / GENERATION / "bin/python").chmod(0o755)
    (store / "markers").mkdir()
    marker = f"schema=1 distribution=miniforge version=1 path={store}/{GENERATION}"
    (store / "markers" / GENERATION).write_text(marker)
    prefix.symlink_to(f"{store.name}/{GENERATION}")
    os.chown(prefix, uid, uid, follow_symlinks=False)
    give(store, uid)


@pytest.fixture
def somebody() -> Iterator[Person]:
    """A person whose installation lies two directories deep in her home."""
    with person() as made:
        deep = made.home / "apps/lab"
        deep.mkdir(parents=True)
        give(made.home / "apps", PERSON)
        made.prefix = deep / "anaconda"
        install(made.prefix, PERSON, made.home / "canary")
        yield made


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory such as /tmp."""
    place = Path(tempfile.mkdtemp(prefix="hpcc-public-"))
    place.chmod(0o1777)
    yield place
    shutil.rmtree(place)


def canary(somebody: Person) -> bool:
    return (somebody.home / "canary").exists()


def doctor(somebody: Person, owner: str = "") -> dict[str, list[str]]:
    where = {"PREFIX": somebody.prefix, "OWNER": owner, "PROFILE": "nbserver"}
    other = {
        "MODULE": "anaconda",
        "MODULES": "~/m",
        "PORT": 8888,
        "ASKED": "localhost",
        "LOOK": "pass",
    }
    return somebody.asked(question({**where, **other}, LOOK))


def refused(somebody: Person, words: str) -> None:
    """By each program that runs or writes something, before it has done so."""
    before = sorted(somebody.prefix.parent.rglob("*"))
    for state in ("present", "found", "rolled_back", "absent"):
        assert words in " ".join(somebody.probe(state)["error"])
    started = somebody.ask("start", RUN="r", KIB=0, INODES=0, WORKER="true")
    assert words in started["error"][0]
    assert "anaconda_prefix" in started["todo"][0]
    if somebody.prefix.is_symlink():
        looked = doctor(somebody)
        assert words in looked["untrusted"][0]
        assert "generation" not in looked
    assert not canary(somebody)
    assert sorted(somebody.prefix.parent.rglob("*")) == before


def accepted(somebody: Person, owner: str = "") -> None:
    found = somebody.probe(OWNER=owner)
    assert (found.get("error"), found["python"]) == (None, ["3.13.1"])
    assert found["complete"][0].startswith(f"name={GENERATION} ")
    assert doctor(somebody, owner)["installation"] == ["complete"]
    assert canary(somebody)


def test_ones_own_installation_is_run(somebody: Person) -> None:
    accepted(somebody)


PARTS = ["", ".d", ".d/markers", f".d/{GENERATION}", f".d/{GENERATION}/bin"]
PARTS += [f".d/{GENERATION}/bin/python", f".d/{GENERATION}/lib/python3.13/site-packages"]


@pytest.mark.parametrize("part", PARTS)
def test_no_part_of_it_may_be_somebody_elses(somebody: Person, part: str) -> None:
    os.chown(f"{somebody.prefix}{part}", NEIGHBOUR, NEIGHBOUR, follow_symlinks=False)
    refused(somebody, f"(uid {NEIGHBOUR})")


@pytest.mark.parametrize("part", PARTS[1:])
@pytest.mark.parametrize("mode", [0o757, 0o1777])
def test_others_may_write_to_no_part_of_it(somebody: Person, part: str, mode: int) -> None:
    Path(f"{somebody.prefix}{part}").chmod(mode)
    refused(somebody, "others can write to")


def test_the_marker_of_a_neighbour_makes_nothing_complete(somebody: Person) -> None:
    os.chown(somebody.store / "markers" / GENERATION, NEIGHBOUR, NEIGHBOUR)
    assert "complete" not in somebody.probe()


@pytest.mark.parametrize("ancestor", ["apps", "apps/lab"])
def test_others_may_write_to_no_directory_above_it(somebody: Person, ancestor: str) -> None:
    (somebody.home / ancestor).chmod(0o777)
    refused(somebody, f"others can write to {somebody.home / ancestor} ")


def test_no_directory_above_it_may_be_somebody_elses(somebody: Person) -> None:
    os.chown(somebody.home / "apps", NEIGHBOUR, NEIGHBOUR)
    refused(somebody, f"{somebody.home}/apps belongs to")


def test_what_is_planted_in_a_public_directory_is_not_run(somebody: Person, public: Path) -> None:
    somebody.prefix = public / "anaconda"
    install(somebody.prefix, NEIGHBOUR, somebody.home / "canary")
    refused(somebody, f"{public}/anaconda belongs to")


def test_a_link_of_a_neighbour_leads_nowhere(somebody: Person, public: Path) -> None:
    (public / "way").symlink_to(somebody.prefix.parent)
    os.chown(public / "way", NEIGHBOUR, NEIGHBOUR, follow_symlinks=False)
    somebody.prefix = public / "way" / "anaconda"
    refused(somebody, f"{public}/way belongs to")


def test_a_planted_store_beside_a_prefix_to_come_is_refused(somebody: Person, public: Path) -> None:
    somebody.prefix = public / "anaconda"
    (public / "anaconda.d").mkdir()
    give(public / "anaconda.d", NEIGHBOUR)
    refused(somebody, f"{public}/anaconda.d belongs to")


def plant_while(look: Callable[[], object], prefix: Path, after: float) -> None:
    """A neighbour puts an installation there while somebody looks, and takes it away again."""
    names = [(f"{prefix}.d", f"{prefix}.d.away"), (str(prefix), f"{prefix}.away")]
    for there, away in names:
        Path(there).rename(away)
    looking = threading.Thread(target=look)
    looking.start()
    time.sleep(after)
    for there, away in names:
        Path(away).rename(there)
    looking.join()


@pytest.mark.threat(14)
def test_what_is_planted_while_somebody_looks_is_not_run(somebody: Person, public: Path) -> None:
    somebody.prefix = public / "anaconda"
    install(somebody.prefix, NEIGHBOUR, somebody.home / "canary")
    for step in range(40):
        plant_while(somebody.probe, somebody.prefix, step / 200)
        assert not canary(somebody)


@pytest.mark.threat(14)
def test_what_is_not_there_may_come_and_is_not_run(somebody: Person, public: Path) -> None:
    text = 'trusted "$P" && echo may come\nmay_run "$P" || echo "$WHY"'
    asked = question({"P": public / "python"}, text=text)
    said = somebody.run(["sh", "-s"], asked.program).stdout
    assert said == f"may come\n{public}/python is not there any more\n"


def test_thousands_of_names_of_a_neighbour_are_not_looked_at(
    somebody: Person, public: Path
) -> None:
    somebody.prefix = public / "anaconda"
    (somebody.prefix / "lib").mkdir(parents=True)
    for number in range(5000):
        (somebody.prefix / f"lib/python3{number}").touch()
    give(somebody.prefix, NEIGHBOUR)
    begun = time.monotonic()
    assert f"{public}/anaconda belongs to" in somebody.probe()["error"][0]
    assert time.monotonic() - begun < 5  # seconds; each name is compared with all before it: 30


def test_ones_own_in_a_public_directory_is_run(somebody: Person, public: Path) -> None:
    somebody.prefix = public / "anaconda"
    install(somebody.prefix, PERSON, somebody.home / "canary")
    accepted(somebody)


@pytest.mark.parametrize("owner", [0, NEIGHBOUR])
def test_root_and_the_one_who_is_named_may_own_it(somebody: Person, owner: int) -> None:
    give(somebody.home / "apps", owner)
    accepted(somebody, str(owner))


def test_a_name_that_is_no_account_is_said(somebody: Person) -> None:
    found = somebody.probe(OWNER="nobody-of-that-name")
    assert found["error"] == ["there is no account nobody-of-that-name"]


def test_a_group_of_ones_own_may_write_and_any_other_may_not(somebody: Person) -> None:
    (somebody.home / "apps").chmod(0o2775)
    accepted(somebody)
    (somebody.home / "canary").unlink()
    os.chown(somebody.home / "apps", PERSON, NEIGHBOUR)
    refused(somebody, f"others can write to {somebody.home}/apps ")


def test_a_list_of_access_rights_is_no_group_of_ones_own(somebody: Person) -> None:
    if not shutil.which("setfacl"):
        pytest.skip("setfacl is not installed")
    entry = f"u:{NEIGHBOUR}:rwx"
    subprocess.run(["setfacl", "-m", entry, somebody.home / "apps"], check=True)
    refused(somebody, f"others can write to {somebody.home}/apps ")


def test_links_in_a_circle_are_said(somebody: Person) -> None:
    somebody.prefix.unlink()
    somebody.prefix.symlink_to("anaconda")
    os.chown(somebody.prefix, PERSON, PERSON, follow_symlinks=False)
    assert "circle" in somebody.probe()["error"][0]


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
@pytest.mark.parametrize("change", [None, NEIGHBOUR])
def test_every_shell_judges_the_same(somebody: Person, shell: str, change: int | None) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    if change:
        os.chown(somebody.store / "markers", change, change)
    text = 'trusted_installation "$ROOT" && echo yes'
    argv = [shell, *["sh"] * (shell == "busybox"), "-s"]
    said = somebody.run(argv, question({"ROOT": somebody.prefix}, text=text).program)
    assert said.stdout == ("" if change else "yes\n")
    assert said.stderr == ""

"""Nothing of a person is lost, whatever lies around and inside of an installation."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from belongings import STEPS, TREES, VERSIONS, Home, home, installer, life, step
from examples import examples
from hypothesis import given, settings


@pytest.fixture
def owner():
    with home() as made:
        yield made


def test_the_life_of_an_installation_leaves_nothing(owner: Home) -> None:
    said = []
    names = []
    for number in range(STEPS):
        said.append(step(owner, number))
        names.append(owner.live)
    first, second, third = (installer(version)[2] for version in ("1", "2", "3"))
    assert (said, names) == ([""] * STEPS, [first, second, third, second, ""])
    assert list(owner.path.iterdir()) == []


def test_a_life_in_an_empty_home_removes_every_generation() -> None:
    assert life([]).removed == len(VERSIONS)


@pytest.mark.timeout(1200)
@settings(max_examples=examples(8))
@given(TREES)
def test_nothing_of_a_person_is_ever_lost(tree: list[tuple[int, str, list[str], bool]]) -> None:
    assert life(tree).lost == []


def test_a_directory_of_the_name_of_the_store_is_left_alone(owner: Home) -> None:
    owner.put("anaconda.d", ["work", "thesis"], False)
    for number in range(STEPS):
        assert step(owner, number) or number == STEPS - 1
    assert owner.lost() == []
    assert "is left alone. The installation needs that name" in step(owner, 0)
    assert sorted(path.name for path in owner.path.iterdir()) == ["anaconda.d"]


def test_a_directory_of_the_name_of_a_generation_is_passed_by(owner: Home) -> None:
    assert step(owner, 0) == ""
    name = installer("2")[2]
    owner.put("anaconda.d", [name, "precious"], False)
    assert step(owner, 1) == ""
    assert (owner.lost(), owner.live) == ([], f"{name}-2")


def test_a_file_in_the_place_of_a_marker_is_passed_by(owner: Home) -> None:
    assert step(owner, 0) == ""
    name = installer("2")[2]
    owner.put("anaconda.d/markers", [name], False)
    assert step(owner, 1) == ""
    assert (owner.lost(), owner.live) == ([], f"{name}-2")
    for number in range(2, STEPS):
        step(owner, number)
    assert owner.lost() == []


def test_a_directory_in_the_place_of_a_marker_is_passed_by(owner: Home) -> None:
    assert step(owner, 0) == ""
    name = installer("2")[2]
    owner.put("anaconda.d/markers", [name, "mine"], False)
    assert step(owner, 1) == ""
    assert (owner.lost(), owner.live) == ([], f"{name}-2")


def test_a_store_that_has_forgotten_its_generations_is_installed_into(owner: Home) -> None:
    """As a cleaning of old files does it, which takes the small ones, too."""
    for number in range(2):
        assert step(owner, number) == ""
    shutil.rmtree(owner.store / "markers")
    assert step(owner, 0) == ""
    assert owner.live == f"{installer('1')[2]}-2"
    assert step(owner, 1) == ""
    assert owner.live == f"{installer('2')[2]}-2"


def test_a_store_that_was_made_before_there_were_identities_is_taken_over(owner: Home) -> None:
    step(owner, 0)
    (owner.store / ".hpcc-notebook-store").unlink()
    for note in owner.store.glob("markers/.begun-*"):
        note.unlink()
    assert owner.seen().store == "old"
    for number in range(1, STEPS):
        assert step(owner, number) == ""
    logs = [path for path in owner.store.rglob("*") if path.is_file()]
    assert logs == []


def test_a_marker_of_another_place_proves_nothing(owner: Home) -> None:
    step(owner, 0)
    owner.path.joinpath("anaconda").unlink()
    owner.store.rename(owner.path / "tool.d")
    (owner.path / "tool.d/.hpcc-notebook-store").unlink()
    (owner.path / "tool.d").rename(owner.store.with_name("anaconda.d"))
    marker = next(iter(owner.store.glob("markers/miniforge-*")))
    marker.write_text(marker.read_text().replace(f"path={owner.store}/", "path=/elsewhere/"))
    assert owner.seen().store == "foreign"


def test_files_that_were_moved_out_of_a_generation_stay_where_they_are(owner: Home) -> None:
    step(owner, 0)
    share = owner.path / "anaconda/share"
    elsewhere = owner.path / "scratch"
    share.resolve().rename(elsewhere)
    Path(share).symlink_to(elsewhere)
    step(owner, STEPS - 1)
    assert (elsewhere / "shipped").read_text() == "shipped\n"


@pytest.mark.parametrize("name", ["envs", "kept", "downloads", "logs", "work", "trash"])
def test_a_file_or_link_of_a_persons_in_the_place_of_our_directory_stays(
    owner: Home, name: str
) -> None:
    step(owner, 0)
    place = owner.store / name
    if place.is_dir():
        place.rename(owner.path / "mine")  # what they keep there is elsewhere now
        place.symlink_to(owner.path / "mine")
    else:
        owner.put("anaconda.d", [name], False)
    step(owner, STEPS - 1)
    assert owner.lost() == []
    assert place.is_symlink() or place.is_file()


def test_nothing_of_a_directory_that_others_write_to_is_seen_by_an_installer(
    owner: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert step(owner, 0) == ""
    assert (owner.path / "anaconda/share/where").read_text() == "/\n"

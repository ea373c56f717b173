"""Changes of the packages of a live installation: tried first, and repaired when cut off."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from directly import worker
from one_task import TaskFailed, command, environment
from small_distribution import Mirror, wheel
from test_conda_distribution import Account
from test_conda_distribution_conda import publish

pytest_plugins = ["test_conda_distribution"]

UNUSABLE = "a package that cannot be imported"
BAD = {
    "a name that does not exist": ("nosuch", "No matching distribution found for nosuch"),
    "a version that does not exist": ("letter==0.1", "No matching distribution .* letter==0.1"),
    "a package that conflicts": ("clash", "conflict"),
    UNUSABLE: ("broken", "cannot import"),
}


@pytest.fixture(autouse=True)
def more(served: Mirror) -> None:
    wheel(served.root, "clash", "1.0", requires="parcel<2")
    wheel(served.root, "broken", "1.0", "raise ImportError('it does not work here')")
    wheel(served.root, "part", "1.0", "VALUE = 1")
    wheel(served.root, "whole", "1.0", "import part", requires="part", also="never/there.txt")


def site(made: dict[str, Any]) -> Path:
    (found,) = Path(made["generation"]).glob("lib/python3*/site-packages")
    return found


def contents(made: dict[str, Any]) -> dict[str, int]:
    files = (path for path in site(made).rglob("*") if path.suffix != ".pyc" and path.is_file())
    return {str(path): path.stat().st_mtime_ns for path in files}


def channel(account: Account, tool: str) -> dict[str, Any]:
    """The options for packages from conda or pip."""
    return {"packages_from": tool, "channels": [f"{account.served.url}/simple"]}


# What conda would link cannot be imported before it is linked.
BOTH = [
    (bad, tool) for bad in BAD for tool in ("pip", "conda") if (bad, tool) != (UNUSABLE, "conda")
]


@pytest.mark.fault("a package that cannot be had")
@pytest.mark.parametrize(("bad", "tool"), BOTH)
def test_a_list_that_cannot_work_changes_nothing_and_is_forgotten(
    account: Account, bad: str, tool: str
) -> None:
    package, words = BAD[bad]
    made = account.run()
    before = contents(made)
    with pytest.raises(TaskFailed, match=words) as failed:
        account.run(packages=["parcel>=2", package], **channel(account, tool))
    assert "Traceback" not in str(failed.value)
    assert contents(made) == before
    assert account.run(**channel(account, tool))["changed"] is False


def test_an_index_out_of_reach_is_not_taken_for_a_wrong_name(account: Account) -> None:
    account.run()
    with pytest.raises(TaskFailed, match="the index cannot be reached"):
        account.run(packages=["parcel>=2", "letter"], index_url="https://127.0.0.1:9/simple")
    assert account.run()["changed"] is False


def test_what_repairs_packages_may_be_damaged_again_and_again(account: Account) -> None:
    made = account.run()
    for _time in range(3):
        damaged = made["generation"]
        (site(made) / "pip").unlink()
        made = account.run()
        assert made["generation"] != damaged
    assert account.run()["changed"] is False
    assert len(list(Path(f"{account.prefix}.d").glob("miniforge-*/bin"))) <= 3, (
        "old ones are pruned"
    )


@pytest.mark.parametrize("purged", [[], [".files-*"]], ids=["", "with its list of files gone"])
def test_a_name_is_not_used_again_at_the_cost_of_what_a_person_put_there(
    account: Account, purged: list[str]
) -> None:
    first = Path(account.run()["generation"])
    (first / "mine").mkdir()
    (first / "mine/thesis.txt").write_text("all of it")
    for pattern in purged:
        for note in first.parent.glob(f"markers/{pattern}"):
            note.unlink()
    for _time in range(2):  # the second time, the name of the first is free again
        (account.prefix / "bin/python").unlink()
        account.run()
    (found,) = first.parent.rglob("thesis.txt")
    assert found.read_text() == "all of it"
    assert account.run()["changed"] is False


@pytest.mark.fault("a change that is cut off")
@pytest.mark.parametrize("half", ["parcel.py", "parcel-2.1.dist-info/RECORD"])
def test_what_was_cut_off_is_repaired_with_the_list_of_the_next_run(
    account: Account, half: str
) -> None:
    made = account.run(packages=["parcel>=2", "letter"])
    note = Path(f"{account.prefix}.d/markers/.changing-{Path(made['generation']).name}")
    note.write_text("parcel letter nosuch\n")
    (site(made) / half).unlink()
    (site(made) / "~arcel-2.0.dist-info").mkdir()
    repaired = account.run()
    assert "cut off" in repaired["reason"]
    assert not note.exists()
    subprocess.run([made["python"], "-c", "import parcel, letter"], check=True)
    assert list(site(made).glob("~*")) == []
    assert account.run()["changed"] is False


def with_program(served: Mirror, name: str, version: str) -> Path:
    """A wheel that brings a program, too."""
    wheel(served.root, name, version)
    path = served.root / f"simple/{name}/{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "a") as file:
        points = f"[console_scripts]\n{name} = {name}:main\n"
        file.writestr(f"{name}-{version}.dist-info/entry_points.txt", points)
    return path


def in_the_way(prefix: Path, program: str) -> None:
    """Seen by nobody before pip has removed the version that is there."""
    directory = prefix / "bin" / program
    directory.mkdir()
    (directory / "mine").touch()


def test_what_pip_puts_back_needs_no_repair(account: Account) -> None:
    path = with_program(account.served, "letter", "2.0")
    made = account.run(packages=["parcel>=2", "letter<2"])
    before = contents(made)
    in_the_way(Path(made["generation"]), "letter")
    with pytest.raises(TaskFailed, match="installing the packages"):
        account.run(packages=["parcel>=2", "letter>=2"])
    assert contents(made) == before
    assert account.run(packages=["parcel>=2", "letter<2"])["changed"] is False
    path.unlink()


def test_an_adoption_that_fails_leaves_what_was_there(account: Account) -> None:
    with_program(account.served, "tool", "1.0")
    pip = publish(account, "Miniforge3-hand", "exit 0")
    by_hand = account.directory / "hand.sh"
    by_hand.write_bytes((account.served.root / Path(pip["url"]).name).read_bytes())
    subprocess.run(["sh", by_hand, "-b", "-p", account.prefix], check=True, capture_output=True)
    (account.prefix / ".condarc").write_text("channels:\n  - conda-forge\n")
    in_the_way(account.prefix, "tool")
    before = contents({"generation": account.prefix})
    with pytest.raises(TaskFailed, match="installing the packages"):
        account.run(packages=["parcel>=2", "tool"], adopt=True)
    assert before.items() <= contents({"generation": account.prefix}).items()
    assert account.run(adopt=True)["packages"] == {"parcel": "2.1"}


def test_a_change_that_was_killed_is_repaired_with_the_list_of_the_next_run(
    account: Account,
) -> None:
    made = account.run()
    code = "VALUE = 1\n" * 5000
    for number in range(30):
        wheel(account.served.root, f"bulk{number}", "1.0", code)
    many = [f"bulk{number}" for number in range(30)]
    argv = command(account.directory, account.task(packages=["parcel>=2", *many]))
    (account.directory / "ansible.cfg").touch()
    env = environment(account.directory, account.environment)
    store = Path(f"{account.prefix}.d")
    with subprocess.Popen(
        argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        while not list(store.glob("markers/.changing-*")):
            assert run.poll() is None
            time.sleep(0.01)
        while not list(site(made).glob("bulk*")):
            time.sleep(0.01)
        os.killpg(worker(store), signal.SIGKILL)
        run.kill()
    repaired = account.run()
    assert "cut off" in repaired["reason"]
    assert account.run()["changed"] is False
    assert account.run(packages=["parcel>=2", *many])["packages"]["bulk29"] == "1.0"


LOST = {
    "a package": ("parcel.py", "parcel"),
    "what a package needs": ("part.py", "part"),
    "a part of the metadata": ("whole-1.0.dist-info/METADATA", "whole"),
}


@pytest.mark.fault("lost files")
@pytest.mark.parametrize("what", LOST)
def test_files_that_a_purge_has_taken_come_back(account: Account, what: str) -> None:
    lost, name = LOST[what]
    packages = ["parcel>=2", "whole"]
    made = account.run(packages=packages)
    assert account.run(packages=packages)["changed"] is False
    (site(made) / lost).unlink()
    checked = account.run(packages=packages, check=True)
    assert f"files are missing or empty in {name} (such as lib/" in checked["reason"]
    assert not (site(made) / lost).exists()
    repaired = account.run(packages=packages)
    assert repaired["diff"] == checked["diff"]
    assert repaired["generation"] == made["generation"]
    subprocess.run([made["python"], "-c", "import parcel, whole"], check=True)
    assert account.run(packages=packages)["changed"] is False


@pytest.mark.fault("emptied files")
def test_a_file_that_a_crash_has_emptied_comes_back(account: Account) -> None:
    made = account.run()
    (site(made) / "parcel.py").write_text("")
    assert "empty in parcel (such as lib/" in account.run()["reason"]
    value = subprocess.check_output([made["python"], "-c", "import parcel; print(parcel.VALUE)"])
    assert value == b"21\n"
    assert account.run()["changed"] is False


def test_what_the_index_has_no_longer_is_named_and_not_tried_for_ever(account: Account) -> None:
    wheel(account.served.root, "rare", "1.0")
    made = account.run(packages=["parcel>=2", "rare"])

    (site(made) / "rare.py").unlink()
    shutil.rmtree(account.served.root / "simple/rare")
    with pytest.raises(TaskFailed, match=r"cannot be had again: ERROR: .*rare") as failed:
        account.run(packages=["parcel>=2", "rare"])
    assert "again and again" not in str(failed.value)
    assert account.run(packages=["parcel>=2"])["changed"] is False


def test_files_that_conda_linked_come_back(account: Account) -> None:
    options = channel(account, "conda")
    made = account.run(**options)
    (site(made) / "parcel.py").unlink()
    assert account.run(**options)["changed"] is True
    subprocess.run([made["python"], "-c", "import parcel"], check=True)
    assert account.run(**options)["changed"] is False


def test_without_pip_nothing_can_be_repaired_in_place(account: Account) -> None:
    made = account.run()
    (site(made) / "pip").unlink()
    again = account.run()
    assert "files are missing or empty in pip" in again["reason"]
    assert again["generation"] != made["generation"]
    assert account.run()["changed"] is False

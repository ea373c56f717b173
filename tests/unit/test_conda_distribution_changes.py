"""Changes of the packages of a live installation: tried first, and repaired when cut off."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from one_task import TaskFailed
from small_distribution import Mirror, wheel
from test_conda_distribution import Account

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


@pytest.mark.parametrize(("bad", "tool"), BOTH)
def test_a_list_that_cannot_work_changes_nothing_and_is_forgotten(
    account: Account, bad: str, tool: str
) -> None:
    package, words = BAD[bad]
    made = account.run()
    before = contents(made)
    with pytest.raises(TaskFailed, match=words):
        account.run(packages=["parcel>=2", package], **channel(account, tool))
    assert contents(made) == before
    assert account.run(**channel(account, tool))["changed"] is False


def test_an_index_out_of_reach_is_not_taken_for_a_wrong_name(account: Account) -> None:
    account.run()
    with pytest.raises(TaskFailed, match="the index cannot be reached"):
        account.run(packages=["parcel>=2", "letter"], index_url="https://127.0.0.1:9/simple")
    assert account.run()["changed"] is False


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


LOST = {
    "a package": ("parcel.py", "parcel"),
    "what a package needs": ("part.py", "part"),
    "a part of the metadata": ("whole-1.0.dist-info/METADATA", "whole"),
}


@pytest.mark.parametrize("what", LOST)
def test_files_that_a_purge_has_taken_come_back(account: Account, what: str) -> None:
    lost, name = LOST[what]
    packages = ["parcel>=2", "whole"]
    made = account.run(packages=packages)
    assert account.run(packages=packages)["changed"] is False
    (site(made) / lost).unlink()
    checked = account.run(packages=packages, check=True)
    assert f"files are missing of {name} (such as lib/" in checked["reason"]
    assert not (site(made) / lost).exists()
    repaired = account.run(packages=packages)
    assert repaired["diff"] == checked["diff"]
    assert repaired["generation"] == made["generation"]
    subprocess.run([made["python"], "-c", "import parcel, whole"], check=True)
    assert account.run(packages=packages)["changed"] is False


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
    assert "files are missing of pip" in again["reason"]
    assert again["generation"] != made["generation"]
    assert account.run()["changed"] is False

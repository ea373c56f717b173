"""Going back, removing and adopting, with a real Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from one_task import TaskFailed
from small_distribution import installer
from test_conda_distribution import MACHINE, Account

pytest_plugins = ["test_conda_distribution"]


def upgraded(account: Account, number: int = 2, before_the_end: str = "") -> dict[str, Any]:
    end = f"{before_the_end}exit 0 # {number}"
    other = installer(account.served.certificate, end=end)
    published = account.served.publish(f"Miniforge3-{number}.0-1-Linux-{MACHINE}.sh", other)
    return account.run(**published)


def removed(account: Account, **how: Any) -> dict[str, Any]:
    return account.run(state="absent", **how)


def left(account: Account) -> list[str]:
    ours = str(account.prefix)
    return [path for path in account.everything() if path.startswith(ours)]


def test_going_back_is_four_beats_and_one_rename(account: Account) -> None:
    first = account.run()
    second = upgraded(account)
    account.served.requests.clear()
    beats = [account.run(state="rolled_back", check=check) for check in (True, False) * 2]
    assert [beat["changed"] for beat in beats] == [True, True, False, False]
    assert beats[0]["diff"] == beats[1]["diff"]
    assert os.path.realpath(account.prefix) == first["generation"] != second["generation"]
    assert account.served.requests == []
    assert upgraded(account)["generation"] == second["generation"]
    assert account.run(state="rolled_back")["generation"] == first["generation"]


def test_without_a_generation_before_there_is_no_way_back(account: Account) -> None:
    account.run()
    with pytest.raises(TaskFailed, match="no complete generation before"):
        account.run(state="rolled_back")


def test_the_third_version_removes_the_first_unless_somebody_needs_it(account: Account) -> None:
    first, second = account.run(), upgraded(account)
    upgraded(account, 3)
    assert Path(first["generation"]).is_symlink()
    precious = Path(second["generation"]) / "share"
    precious.mkdir()
    (precious / "my data").write_text("dear")
    upgraded(account, 4)
    upgraded(account, 5)
    assert (precious / "my data").read_text() == "dear"
    trees = Path(f"{account.prefix}.d").glob("miniforge-*")
    assert len([path for path in trees if not path.is_symlink()]) == 3


def test_what_a_server_on_another_host_may_run_from_stays_until_it_is_stopped(
    account: Account,
) -> None:
    first = account.run()
    record = account.home / ".ipython/profile_nbserver/run/dev99.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    upgraded(account)
    upgraded(account, 3)
    subprocess.run([first["python"], "-c", "import parcel"], check=True)
    record.touch()  # another run began
    upgraded(account, 4)
    assert not Path(first["generation"]).is_symlink(), (
        "it is not known of it to have been so before"
    )
    record.unlink()
    upgraded(account, 5)
    assert Path(first["generation"]).is_symlink()


def test_removing_is_four_beats_and_leaves_nothing(account: Account) -> None:
    before = account.everything()
    account.run()
    upgraded(account)
    beats = [removed(account, check=check) for check in (True, False) * 2]
    assert [beat["changed"] for beat in beats] == [True, True, False, False]
    assert beats[0]["diff"] == beats[1]["diff"]
    assert account.everything() == before


@pytest.mark.threat(28)
def test_what_people_made_survives_the_removal(account: Account) -> None:
    made = account.run()
    environment = Path(f"{account.prefix}.d/envs/mine/bin")
    environment.mkdir(parents=True)
    (environment / "python").write_text("theirs")
    (Path(made["generation"]) / "bin/my own").write_text("theirs")
    result = removed(account)
    kept = [path for path in left(account) if Path(path).is_file() and not Path(path).is_symlink()]
    assert sorted(Path(path).name for path in kept) == ["my own", "python"]
    assert f"{account.prefix}.d/envs/mine" in result["kept"]
    assert removed(account)["changed"] is False
    assert account.run()["changed"] is True


def test_without_its_list_nobody_tells_what_in_a_generation_is_theirs_so_it_stays(
    account: Account,
) -> None:
    made = account.run()
    generation = Path(made["generation"])
    (generation / "bin/my own").write_text("theirs")
    Path(f"{account.prefix}.d/markers/.files-{generation.name}").unlink()
    assert removed(account)["changed"] is True
    (found,) = Path(f"{account.prefix}.d/kept").rglob("my own")
    assert found.read_text() == "theirs"
    assert removed(account)["changed"] is False
    assert account.run()["changed"] is True


@pytest.mark.parametrize("cut", ["link", "marker", "half"])
def test_a_removal_that_was_cut_off_is_finished(account: Account, cut: str) -> None:
    made = account.run()
    account.prefix.unlink()
    if cut == "marker":
        (Path(f"{account.prefix}.d/markers") / Path(made["generation"]).name).unlink()
    if cut == "half":
        subprocess.run(["rm", "-r", f"{made['generation']}/lib"], check=True)
    assert removed(account)["changed"] is True
    assert left(account) == []


@pytest.mark.fault("F80 removal in use")
def test_nothing_is_removed_while_a_program_runs_from_it(account: Account) -> None:
    made = account.run()
    with subprocess.Popen([made["python"], "-c", "input()"], stdin=subprocess.PIPE) as program:
        for check in (True, False):
            with pytest.raises(TaskFailed, match=rf"process {program.pid} .*hpcc\.notebook\.stop"):
                removed(account, check=check)
        program.kill()
    assert account.run()["changed"] is False


def test_nothing_is_removed_while_another_host_may_serve_from_it(account: Account) -> None:
    account.run()
    run = account.home / ".ipython/profile_nbserver/run/dev99.json"
    run.parent.mkdir(parents=True)
    run.write_text("{}")
    with pytest.raises(TaskFailed, match=rf"dev99.*hpcc\.notebook\.stop.*rm {run}"):
        removed(account)
    run.unlink()
    assert removed(account)["changed"] is True


@pytest.mark.parametrize("what", ["directory", "link"])
def test_what_is_not_ours_is_not_removed(account: Account, what: str) -> None:
    (account.home / "theirs").mkdir()
    if what == "link":
        account.prefix.symlink_to(account.home / "theirs")
    else:
        account.prefix.mkdir()
    before = account.everything()
    assert removed(account)["changed"] is False
    assert account.everything() == before


def by_hand(prefix: Path) -> None:
    """What the installer of Miniforge leaves when a person runs it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    (prefix / "conda-meta").mkdir()
    (prefix / ".condarc").write_text("channels:\n  - conda-forge\n")
    (prefix / "bin/conda").write_text('#!/bin/sh\ntouch "$HOME/executed"\n')
    (prefix / "bin/conda").chmod(0o755)


@pytest.mark.fault("F44 foreign prefix")
def test_a_working_installation_is_adopted_when_asked_and_stays_as_it_is(account: Account) -> None:
    by_hand(account.prefix)
    with pytest.raises(TaskFailed, match=r"\(miniforge unknown\).*anaconda_adopt: true"):
        account.run(packages=[])
    assert not (account.home / "executed").exists()
    files = sorted(account.prefix.rglob("*"))
    beats = [account.run(packages=[], adopt=True, check=check) for check in (True, False) * 2]
    assert [beat["changed"] for beat in beats] == [True, True, False, False]
    assert beats[0]["diff"] == beats[1]["diff"]
    assert account.run(packages=[])["python"] == f"{account.prefix}/bin/python"
    assert sorted(account.prefix.rglob("*")) == files
    assert account.served.requests == []
    removed(account)
    assert sorted(account.prefix.rglob("*")) == files
    assert left(account) == [str(account.prefix), *map(str, files)]


INFO = '{\n  "name": "Miniforge3",\n  "version": "26.3.2-3",\n  "platform": "linux-64"\n}\n'
VERSIONS = {
    "its own record": (".installer.info", INFO, "26.3.2-3"),
    "the conda in it": ("conda-meta/conda-25.9.1-py312h7900ff3_0.json", "{}", "25.9.1"),
}


@pytest.mark.parametrize("source", VERSIONS)
def test_the_version_of_what_is_adopted_is_known_from(account: Account, source: str) -> None:
    name, text, version = VERSIONS[source]
    by_hand(account.prefix)
    (account.prefix / name).write_text(text)
    with pytest.raises(TaskFailed, match=rf"\(miniforge {version}\).*anaconda_adopt: true"):
        account.run(packages=[])
    assert account.run(packages=[], adopt=True)["version"] == version


def test_only_a_working_installation_of_that_kind_is_adopted(account: Account) -> None:
    account.prefix.mkdir()
    with pytest.raises(TaskFailed, match="no conda installation"):
        account.run(adopt=True)
    account.prefix.rmdir()
    by_hand(account.prefix)
    with pytest.raises(TaskFailed, match="as miniconda: it is miniforge"):
        account.run(adopt=True, distribution="miniconda", accept_terms=True)
    (account.prefix / "bin/conda").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(TaskFailed, match="do not both run"):
        account.run(adopt=True)
    assert not Path(f"{account.prefix}.d").exists()

"""What role `parallel` adds to an installation counts as ours, and goes with the installation."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import file_list
from one_task import run_task
from small_distribution import wheel
from test_conda_distribution import Account
from test_conda_distribution_states import left, removed, upgraded

pytest_plugins = ["test_conda_distribution"]
SOURCE = Path(__file__).parents[2] / "packages" / "cluster_helper"
SETTINGS = "etc/cluster_helper.ini"


@pytest.fixture
def installation(account: Account) -> Path:
    """One with what the package needs."""
    wheel(account.served.root, "ipyparallel", "9.2.0")
    account.options["packages"] = ["ipyparallel>=9"]
    return Path(account.run()["generation"])


def prepare(account: Account) -> dict[str, Any]:
    """What the role does: the package through the prefix, then a file beside it."""
    result = run_task(
        account.directory,
        {
            "hpcc.notebook.python_package": {"src": str(SOURCE), "also": [SETTINGS]},
            "vars": {"ansible_python_interpreter": f"{account.prefix}/bin/python"},
        },
        account.environment,
    )
    settings = account.prefix / SETTINGS
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("[cluster]\n")
    return result


def test_nothing_of_parallel_work_is_left_after_a_removal(
    account: Account, installation: Path
) -> None:
    assert prepare(account)["changed"]
    subprocess.run(
        [f"{account.prefix}/bin/python", "-c", "import cluster_helper.rules"], check=True
    )
    result = removed(account)
    assert left(account) == []
    assert not installation.exists()
    assert "kept" not in result or not result["kept"]


def test_what_the_person_put_beside_it_stays(account: Account, installation: Path) -> None:
    prepare(account)
    theirs = next(installation.glob("lib/python3*/site-packages/cluster_helper")) / "mine.py"
    theirs.write_text("dear")
    removed(account)
    files = [path for path in left(account) if Path(path).is_file()]
    assert [Path(path).name for path in files] == ["mine.py"]


def test_an_old_installation_does_not_stay_because_of_it(
    account: Account, installation: Path
) -> None:
    prepare(account)
    upgraded(account, 2)
    upgraded(account, 3)
    assert installation.is_symlink(), "of a pruned one, a link to the live one stays"


@pytest.mark.usefixtures("installation")
def test_an_installation_that_was_prepared_before_is_noted_by_the_next_run(
    account: Account,
) -> None:
    noted = file_list.find(str(account.prefix))
    assert noted is not None
    before = noted.read_bytes()
    prepare(account)
    noted.write_bytes(before)
    again = prepare(account)
    assert again["reason"] == "it is not in the installation's list of files"
    assert not prepare(account)["changed"]
    removed(account)
    assert left(account) == []


def test_the_list_stays_as_the_shell_sorts_it(tmp_path: Path) -> None:
    tree = tmp_path / "anaconda.d" / "one"
    noted = tree.parent / "markers" / ".files-one"
    for directory in (tree, noted.parent):
        directory.mkdir(parents=True)
    noted.write_text("./B\n./a\n./\u00fc\n")
    assert file_list.missing(str(tree), ["a", "lib/x_y.py", "lib/x-y.py"]) == [
        "lib/x_y.py", "lib/x-y.py",
    ]  # fmt: skip
    file_list.add(str(tree), ["a", "lib/x_y.py", "lib/x-y.py", "Z"])
    subprocess.run(["sort", "-c", str(noted)], env={"LC_ALL": "C"}, check=True)
    assert noted.read_text().splitlines().count("./a") == 1
    assert file_list.missing(str(tree), ["Z", "a", "lib/x-y.py"]) == []


@pytest.mark.parametrize("place", ["python", "python.d/one"])
def test_a_python_of_somebody_else_has_no_list_and_gets_none(tmp_path: Path, place: str) -> None:
    tree = tmp_path / place
    tree.mkdir(parents=True)
    assert file_list.missing(str(tree), ["a"]) == []
    file_list.add(str(tree), ["a"])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

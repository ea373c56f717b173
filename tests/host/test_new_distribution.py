"""A new distribution is one file. An invented one is installed, upgraded, pruned and recognised."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from copied_tree import CopiedTree
from directly import at_rest
from one_task import TaskFailed
from small_distribution import installer, sha256
from test_conda_distribution import MACHINE, Account

pytest_plugins = ["test_conda_distribution"]
pytestmark = pytest.mark.timeout(600)

TABLE = "plugins/module_utils/_installation/installers.py"
ROW = """\
    "pebble": Distribution(
        "Pebble", "{url}/", (2, 17), 100, 10, "conda with stones", channel="pebble-beach"
    ),
}}

# Distribution, version, machine"""
VERSIONS = ("1.0", "2.0", "3.0")


@pytest.fixture
def tree(tmp_path: Path, account: Account) -> CopiedTree:
    served, pins = account.served, ""
    for version in VERSIONS:
        content = installer(served.certificate, end=f"exit 0 # {version}")
        served.publish(f"Pebble-{version}-Linux-{MACHINE}.sh", content)
        pins = f"pebble {version} {MACHINE} {sha256(content)}\n{pins}"
    tree = CopiedTree(tmp_path / "tree")
    tree.edit(TABLE, "}\n\n# Distribution, version, machine", ROW.format(url=served.url))
    tree.edit(TABLE, '""".strip().splitlines()', f'{pins}""".strip().splitlines()')
    tree.make_docs()
    return tree


def play(account: Account, tree: CopiedTree, **options: Any) -> dict[str, Any]:
    wanted = {"distribution": "pebble", "url": "", "sha256": "", "packages": [], **options}
    return account.play(env={"ANSIBLE_COLLECTIONS_PATH": str(tree.collections)}, **wanted)


def test_an_invented_distribution_takes_one_file_and_lives_as_the_others(
    tree: CopiedTree, account: Account
) -> None:
    assert tree.by_hand == {TABLE}
    assert ", pebble] #" in tree.read("roles/anaconda/meta/argument_specs.yml")
    made = [play(account, tree, version=version) for version in ("1.0", "2.0", "")]
    assert [one["distribution"] for one in made] == ["pebble"] * 3
    assert made[-1]["version"] == "3.0", "the first pinned is the default"
    first, second, live = (Path(one["generation"]) for one in made)
    assert all(re.fullmatch(r"pebble-[123]\.0-[0-9a-f]{12}", p.name) for p in (first, second, live))
    assert at_rest(Path(f"{account.prefix}.d"))
    assert first.is_symlink(), "pruned: a link to what is live stands in its place"
    assert not second.is_symlink()
    assert account.prefix.resolve() == live


def test_one_that_somebody_made_is_recognised(tree: CopiedTree, account: Account) -> None:
    (account.prefix / "conda-meta").mkdir(parents=True)
    (account.prefix / ".condarc").write_text("channels:\n  - pebble-beach\n")
    (account.prefix / "conda-meta" / "conda-25.1-0.json").write_text("{}")
    with pytest.raises(TaskFailed, match=r"\(pebble 25\.1\).*anaconda_adopt: true"):
        play(account, tree)

"""A new front end is one file. An invented one is accepted, launched, recorded and found again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from copied_tree import CopiedTree
from servers import Account, new_account, python_for_everybody

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="an installation of its own is needed"),
]
TABLE = "plugins/module_utils/_server/layout.py"
ROW = '    "cork": Frontend("corkboard", "corkboard", "Corkboard", "1.0"),\n}\n\n\n@dataclass'


@pytest.fixture(scope="module")
def tree() -> Iterator[CopiedTree]:
    """Where every account can read it."""
    place = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    place.chmod(0o755)
    tree = CopiedTree(place / "t")
    tree.edit(TABLE, "}\n\n\n@dataclass", ROW)
    tree.make_docs()
    yield tree
    shutil.rmtree(place)


@pytest.fixture
def owner(tree: CopiedTree) -> Iterator[Account]:
    """Somebody whose installation has the front end: JupyterLab under another name."""
    with python_for_everybody() as python:
        [packages] = Path(python).parents[1].glob("lib/python3*/site-packages")
        (packages / "corkboard.py").write_text("from jupyterlab.labapp import main\n\nmain()\n")
        info = packages / "corkboard-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: corkboard\nVersion: 1.2\n")
        account = new_account(python)
        account.collections = tree.collections
        yield account
        account.clean_up()


def test_it_takes_one_file(tree: CopiedTree) -> None:
    assert tree.by_hand == {TABLE}


def test_roles_module_and_documentation_know_it(tree: CopiedTree) -> None:
    for path in ("roles/nbserver/meta/argument_specs.yml", "plugins/doc_fragments/launch.py"):
        assert "choices: [lab, notebook, nbclassic, cork] #" in tree.read(path)
    for path in ("defaults/main.yml", "meta/argument_specs.yml"):
        assert "- corkboard>=1.0 #" in tree.read(f"roles/anaconda/{path}")
    assert "`nbclassic`, `cork`" in tree.read("docs/variables.md")
    names = "ansible_collections.hpcc.notebook.plugins.module_utils._doctor.distribution"
    assert "corkboard" in tree.python("-c", f"from {names} import NAMES; print(NAMES)")


def test_an_invented_front_end_is_launched_recorded_and_found_again(owner: Account) -> None:
    started = owner.server(frontend="cork")
    assert (started["frontend"], started["version"]) == ("cork", "Corkboard 1.2")
    assert json.loads(owner.record.read_text())["frontend"] == "cork"
    again = owner.server(frontend="cork")
    assert (again["changed"], again["pid"]) == (False, started["pid"])
    owner.record.unlink()
    found = owner.info()["servers"][0]
    assert (found["state"], found["frontend"]) == ("running", "cork"), "known by its command line"

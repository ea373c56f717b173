"""Engines and the controller run from one generation of the installation, not through its link."""

import json
import subprocess
import sys
from pathlib import Path

import cluster_helper
import pytest

SAYS = """
import json, sys
from pathlib import Path
from cluster_helper import python
from cluster_helper.plan import Plan
from cluster_helper.request import read
from cluster_helper.site import Site
from cluster_helper.workspace import Workspace
here = {"run_local": True}
plan = Plan(read(Site(), None, None, 2, 1, None, 16, here, None, False, False), Site())
files = Workspace(Path("/w"))
print(json.dumps([plan.engine(files), plan.controller(files), plan.job(files).path]))
"""


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """`anaconda`, which leads to a generation with this package in it."""
    generation = tmp_path / "anaconda.d/one"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", generation], check=True)
    (packages,) = generation.glob("lib/python3*/site-packages")
    (packages / "cluster_helper").symlink_to(Path(cluster_helper.__file__).parent)
    others = next(place for place in sys.path if place.endswith("site-packages"))
    (packages / "others.pth").write_text(f"{others}\n")
    (tmp_path / "anaconda").symlink_to("anaconda.d/one")
    return tmp_path / "anaconda"


def said(python: Path, cwd: Path) -> list[object]:
    ran = subprocess.run(
        [python, "-c", SAYS], capture_output=True, text=True, check=True, cwd=cwd, env={}
    )
    found: list[object] = json.loads(ran.stdout)
    return found


def test_what_a_script_starts_by_the_link_does_not_depend_on_it(link, tmp_path):
    found = said(link / "bin/python", tmp_path)
    engine, _controller, path = found
    assert f"{link}/" not in json.dumps(found)
    assert engine[0] == f"{link}.d/one/bin/python"
    assert path == f"{link}.d/one/bin"
    assert f"{link}.d/one/lib/" in json.dumps(engine[engine.index("--import-from") :])


def test_what_is_no_link_keeps_its_name(link, tmp_path):
    own = tmp_path / "anaconda.d/one"
    assert said(own / "bin/python", tmp_path)[0] == said(link / "bin/python", tmp_path)[0]

"""What runs goes on from the generation that it was started from, whatever becomes live."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import other_python
import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import generations
from servers import Account
from two_generations import KNOWN, NEW, OLD, Installation

pytestmark = pytest.mark.timeout(600)  # several starts, on a machine that may be busy
LATE = "__import__('imported_late').GENERATION"
PREFIX = "__import__('sys').prefix"


@pytest.fixture
def installed(owner: Account) -> Installation:
    return Installation(owner)


def words(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def test_an_upgrade_is_invisible_to_whoever_works_and_a_restart_brings_it(installed):
    owner = installed.owner
    started = owner.server(timeout=120)
    assert words(started["pid"])[0] == f"{installed.generation(OLD)}/bin/python"
    assert started["prefix"] == installed.generation(OLD)
    assert json.loads(owner.record.read_text())["prefix"] == installed.generation(OLD)
    early = installed.kernel()

    installed.flip(NEW)
    assert installed.computed(early, LATE) == OLD, "a module that was never imported before"
    late = installed.kernel()
    assert installed.computed(late, PREFIX) == installed.generation(OLD), "a new kernel"
    assert installed.computed(late, LATE) == OLD
    note = "it runs from test-1.0, and test-1.1 is installed; restart brings it"
    (seen,) = owner.info()["servers"]
    assert (seen["state"], seen["notes"]) == ("running", [note])
    assert seen["prefix"] == installed.generation(OLD)
    again = owner.finish(owner.begin(timeout=120))
    assert again["changed"] is False
    assert again["pid"] == started["pid"]
    assert note in str(again["warnings"])

    after = owner.server(state="restarted", timeout=120)
    assert after["prefix"] == installed.generation(NEW)
    assert installed.computed(installed.kernel(), LATE) == NEW
    assert owner.info()["servers"][0]["notes"] == []

    installed.flip(OLD)  # rolled back
    assert installed.computed(installed.kernel(), LATE) == NEW
    (seen,) = owner.info()["servers"]
    assert seen["notes"] == ["it runs from test-1.1, and test-1.0 is installed; restart brings it"]


def test_a_python_is_ours_by_the_store_that_it_lies_in(installed, tmp_path):
    assert generations.is_ours(f"{installed.generation(OLD)}/bin/python")
    for other in (sys.executable, f"{tmp_path}/bin/python", "python"):
        assert not generations.is_ours(other)


def test_programs_of_a_notebook_are_those_of_its_generation(installed):
    installed.owner.server(timeout=120)
    kernel = installed.kernel()
    installed.flip(NEW)
    which = installed.computed(kernel, "__import__('shutil').which('python')")
    assert which == f"{installed.generation(OLD)}/bin/python"
    executable = installed.computed(kernel, "__import__('sys').executable")
    assert executable == f"{installed.generation(OLD)}/bin/python", "engines start by it"


@pytest.fixture
def with_another_minor(installed: Installation) -> int:
    """The newer generation has a Python of another minor version, and a Jupyter of its own."""
    python = other_python.found()
    if not python:
        pytest.skip("this machine has no Python of another minor version")
    new = installed.store / NEW
    shutil.rmtree(new)
    other_python.make(new, python)
    (packages,) = new.glob("lib/python3*/site-packages")
    (packages / "imported_late.py").write_text(f"GENERATION = {NEW!r}\n")
    return int(python.name.partition(".")[2])


def exported(owner: Account) -> str:
    """A new notebook as a page, made by nbconvert in the server."""
    made = json.loads(owner.curl("/api/contents", *KNOWN, "-d", '{"type": "notebook"}'))
    return owner.curl(f"/nbconvert/html/{made['path']}", *KNOWN)


def works_on(installed: Installation, early: str, name: str) -> None:
    """Whoever runs from this generation notices nothing, whatever is live."""
    prefix = installed.generation(name)
    assert installed.computed(early, LATE) == name, "a module that was never imported before"
    # Whatever another minor version cannot load: these have a part in C.
    for module in ("sqlite3", "ctypes", "decimal"):
        place = installed.computed(early, f"__import__({module!r}).__name__")
        assert place == module
    late = installed.kernel()
    assert installed.computed(late, PREFIX) == prefix, "a new kernel"
    assert installed.computed(late, LATE) == name
    assert "</html>" in exported(installed.owner)


def test_an_upgrade_to_another_minor_version_and_a_rollback_are_invisible_and_restart_brings_them(
    installed: Installation, with_another_minor: int
) -> None:
    owner, minor = installed.owner, "__import__('sys').version_info.minor"
    owner.server(timeout=120)
    early = installed.kernel()
    assert installed.computed(early, minor) == str(sys.version_info.minor)
    installed.flip(NEW)
    works_on(installed, early, OLD)

    after = owner.server(state="restarted", timeout=120)
    assert after["prefix"] == installed.generation(NEW)
    early = installed.kernel()
    assert installed.computed(early, minor) == str(with_another_minor)
    installed.flip(OLD)  # rolled back
    works_on(installed, early, NEW)

    before = owner.server(state="restarted", timeout=120)
    assert before["prefix"] == installed.generation(OLD)
    assert installed.computed(installed.kernel(), minor) == str(sys.version_info.minor)
    assert owner.info()["servers"][0]["notes"] == []


def registered(owner: Account, name: str, python: str) -> None:
    """A kernel of the person's own, as `ipykernel install --user` writes it."""
    place = owner.home / ".local/share/jupyter/kernels" / name
    place.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": name, "language": "python"}
    (place / "kernel.json").write_text(json.dumps(spec))
    for each in (owner.home / ".local", *(owner.home / ".local").rglob("*")):
        os.chown(each, owner.uid, -1)


def test_kernels_that_name_the_link_or_a_pruned_generation_are_the_servers_own(installed):
    owner = installed.owner
    pruned = installed.store / "test-0.9-aaaaaaaaaaaa"
    pruned.symlink_to("../anaconda")
    registered(owner, "by-link", f"{installed.link}/bin/python")
    registered(owner, "by-pruned", f"{pruned}/bin/python")
    registered(owner, "by-new", f"{installed.generation(NEW)}/bin/python")
    owner.server(timeout=120)
    installed.flip(NEW)
    known = json.loads(owner.curl("/api/kernelspecs", *KNOWN))["kernelspecs"]
    assert {"by-link", "by-pruned", "by-new"} <= set(known)
    for name in ("by-link", "by-pruned"):
        kernel = installed.kernel(name)
        assert installed.computed(kernel, PREFIX) == installed.generation(OLD), name
    assert installed.computed(installed.kernel("by-new"), PREFIX) == installed.generation(NEW)


def test_when_the_new_one_cannot_serve_the_old_one_comes_back_from_its_own_generation(installed):
    owner = installed.owner
    owner.server(timeout=120)
    installed.flip(NEW)
    config = owner.directory / "jupyter_server_config.py"
    late = "import sys\nif '1.1' in sys.prefix and 'trial' not in str(sys.argv): sys.exit(3)\n"
    owner.write(config, late + config.read_text())
    with pytest.raises(Exception, match="was started again instead"):
        owner.server(state="restarted", timeout=120)
    (seen,) = owner.info()["servers"]
    assert seen["prefix"] == installed.generation(OLD)


@pytest.fixture
def links(tmp_path: Path) -> Path:
    for name in ("store.d/one", "store.d/two", "venv"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin/python").symlink_to("/usr/bin/env")
    (tmp_path / "store").symlink_to("store.d/one")
    (tmp_path / "store.d/pruned").symlink_to("../store")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "lost").symlink_to("store.d/gone")
    (tmp_path / "home").symlink_to(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("named", "pinned"),
    [
        ("store", "store.d/one"),
        ("store.d/one", "store.d/one"),
        ("store.d/pruned", "store.d/one"),
        ("venv", "venv"),
        ("circle", "circle"),
        ("lost", "lost"),
        ("home/store", "home/store.d/one"),  # the home keeps the person's own spelling
    ],
)
def test_a_python_is_named_by_its_generation_and_by_nothing_that_an_upgrade_turns(
    links, named, pinned
):
    found = generations.pinned(f"{links}/{named}/bin/python")
    assert found == f"{links}/{pinned}/bin/python"


def test_only_generations_of_one_installation_are_compared(links):
    one, two = (f"{links}/store.d/{name}/bin/python" for name in ("one", "two"))
    assert generations.superseded(two, one) == "", "nothing says that this is a store"
    (links / "store.d/.hpcc-notebook-store").symlink_to("schema=1 id=0")
    assert generations.superseded(two, one).startswith("it runs from two, and one is installed")
    assert generations.superseded(one, f"{links}/store/bin/python") == ""
    assert generations.superseded(f"{links}/venv/bin/python", one) == ""
    assert generations.superseded("/usr/bin/python3", one) == ""


def test_two_of_the_same_version_are_told_apart():
    shown = generations.supersession("a-1.0-0123456789ab", "a-1.0-0123456789ab-2")
    assert "from a-1.0-0123456789ab, and a-1.0-0123456789ab-2" in shown

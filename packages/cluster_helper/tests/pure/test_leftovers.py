"""What nobody looks after is removed; what a person put beside it never is, whatever its name."""

import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pytest
from cluster_helper import leftovers, workspace
from cluster_helper.workspace import Owner
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = os.uname().nodename
OURS = "20261124-101112-a1b2c3"
OLD = time.time() - 7 * 24 * 3600


@pytest.fixture
def above(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    workspace.above().mkdir(mode=0o700, parents=True)
    return workspace.above()


def make(directory, identity=None):
    """A directory with work in it, old enough for anything."""
    (directory / "work").mkdir(parents=True)
    (directory / "work" / "thesis.tex").write_text("ten years", encoding="utf-8")
    if identity is not None:
        (directory / "owner.json").write_text(identity, encoding="utf-8")
    os.utime(directory, (OLD, OLD))
    return directory


def identity(name, **changed):
    return json.dumps({**asdict(Owner(name, HERE)), **changed})


def test_what_nobody_looks_after_any_more_is_removed(above):
    make(above / OURS, identity(OURS))
    assert list(leftovers.sweep()) == ["Removed what an interrupted cluster had left (its files)."]
    assert list(above.iterdir()) == []


def test_what_was_interrupted_before_its_supervisor_began_is_removed_a_day_later(above):
    files = workspace.create()
    assert list(leftovers.sweep()) == []
    assert files.directory.exists()
    os.utime(files.directory, (OLD, OLD))
    assert len(list(leftovers.sweep())) == 1
    assert list(above.iterdir()) == []


@pytest.mark.usefixtures("above")
def test_what_a_supervisor_looks_after_stays():
    files = workspace.create()
    lock = leftovers.Lock(files.directory)
    os.utime(files.directory, (OLD, OLD))
    assert list(leftovers.sweep()) == []
    os.close(lock.file)
    assert len(list(leftovers.sweep())) == 1


@pytest.mark.usefixtures("above")
def test_an_identity_is_whole_at_every_moment():
    files = workspace.create()
    lock = leftovers.Lock(files.directory)
    for job in ("4711", None, "1"):
        lock.record("slurm", job)
        found = json.loads((files.directory / "owner.json").read_text(encoding="utf-8"))
        assert (found["job"], found["cluster"]) == (job, files.directory.name)
    os.close(lock.file)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "{}", "[]", "null", "not json", '{"cluster": 7}', identity("another"),
        identity(OURS, host="elsewhere"), identity(OURS, job=["-a"]), identity(OURS, more=1),
        '{"name": "the owner of this data", "mail": "ana@uni.edu"}', "x" * 10_000,
    ],
)  # fmt: skip
def test_what_has_no_identity_of_ours_stays(above, text):
    thesis = make(above / OURS, text) / "work" / "thesis.tex"
    assert list(leftovers.sweep()) == []
    assert thesis.read_text(encoding="utf-8") == "ten years"


def test_a_copy_that_somebody_made_of_a_cluster_stays(above):
    files = workspace.create()
    os.utime(files.directory, (OLD, OLD))
    shutil.copytree(files.directory, above / "backup", copy_function=shutil.copy2)
    os.utime(above / "backup", (OLD, OLD))
    list(leftovers.sweep())
    assert [path.name for path in above.iterdir()] == ["backup"]


def test_no_link_is_followed_anywhere(above, tmp_path):
    elsewhere = make(tmp_path / OURS, identity(OURS))
    (above / OURS).symlink_to(elsewhere)
    linked = make(above / f"{OURS}-2")
    (linked / "owner.json").symlink_to(elsewhere / "owner.json")
    ours = make(above / "20261124-101112-b1b2c3", identity("20261124-101112-b1b2c3"))
    (ours / "data").symlink_to(elsewhere)
    assert len(list(leftovers.sweep())) == 1
    assert not ours.exists()
    assert (elsewhere / "work" / "thesis.tex").exists()
    assert linked.exists()


def test_nothing_is_swept_through_a_link_to_the_whole_directory(above, tmp_path):
    make(above / OURS, identity(OURS))
    above.rename(tmp_path / "scratch")
    above.symlink_to(tmp_path / "scratch")
    assert list(leftovers.sweep()) == []
    assert (tmp_path / "scratch" / OURS / "work" / "thesis.tex").exists()


def test_a_fifo_or_a_directory_as_an_identity_makes_nobody_wait(above):
    os.mkfifo(make(above / OURS) / "owner.json")
    (make(above / f"{OURS}-2") / "owner.json").mkdir()
    assert list(leftovers.sweep()) == []


NAMES = st.one_of(
    st.sampled_from([OURS, "backup", "20261124-101112-ffffff", "owner.json", "security", "log"]),
    st.from_regex(r"\A[a-z0-9.-]{1,12}\Z").filter(lambda name: name not in (".", "..")),
)
CONTENTS = st.one_of(
    st.none(), st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from(["a link", "a fifo", "a link to ours"]),
    st.builds(lambda n, host: identity(n, host=host).encode(), NAMES,
              st.sampled_from(["", "else", HERE])),
)  # fmt: skip
TREES = st.dictionaries(
    NAMES, st.recursive(CONTENTS, lambda inner: st.dictionaries(NAMES, inner, max_size=4)),
    max_size=5,
)  # fmt: skip


def plant(place, tree, target):
    for name, content in tree.items():
        path = place / name
        if isinstance(content, dict):
            path.mkdir()
            plant(path, content, target)
            os.utime(path, (OLD, OLD))
        elif content == "a fifo":
            os.mkfifo(path)
        elif isinstance(content, str):
            path.symlink_to(target if content == "a link" else target / "owner.json")
        else:
            path.write_bytes(content or b"")


def content(path):
    if path.is_symlink():
        return str(path.readlink()).encode()
    return path.read_bytes() if path.is_file() else b""


def manifest(place):
    """Everything below it, with its kind and content."""
    return {
        str(path.relative_to(place)): (path.lstat().st_mode, sha256(content(path)).hexdigest())
        for path in place.rglob("*")
    }


def is_ours(name, content):
    """What was made by us is a directory whose identity names it and this host, or none yet."""
    said = content.get("owner.json") if isinstance(content, dict) else None
    if not isinstance(said, bytes):
        return False
    try:
        found = json.loads(said)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("cluster") == name and found["host"] in ("", HERE)


@settings(max_examples=60 * int(os.environ.get("HPCC_NOTEBOOK_TIMES", "1")))
@given(TREES)
def test_of_random_trees_nothing_that_is_not_ours_is_removed(tree):
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        place = Path(made)
        patch.setenv("IPYTHONDIR", str(place / "ipython"))
        elsewhere = make(place / OURS, identity(OURS))
        workspace.above().mkdir(parents=True)
        plant(workspace.above(), tree, elsewhere)
        before = manifest(place)
        list(leftovers.sweep())
        after = manifest(place)
        gone = {path.split("/")[2] for path in before.keys() - after.keys()}
        assert all(before[path] == seen for path, seen in after.items())
        assert gone == {name for name, content in tree.items() if is_ours(name, content)}

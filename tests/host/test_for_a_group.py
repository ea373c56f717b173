"""An installation for the members of a group alone: who gets in, and what the others are told."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import question
from one_task import TaskFailed
from people_and_stores import NEIGHBOUR, ROOT
from test_conda_distribution import Account
from test_leases import HOLD, SYSTEM, lease_of, running

pytest_plugins = ["test_conda_distribution"]
pytestmark = pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
LAB = 61500


@pytest.fixture
def lab(account: Account) -> Account:
    """Of somebody who is in the group of the lab."""
    account.behind = ["setpriv", f"--groups={LAB}"]
    for place in (account.home, *account.home.parents):
        if place.stat().st_mode & 0o011 != 0o011:
            place.chmod(place.stat().st_mode | 0o011)
    return account


def asked(prefix: Path, groups: int | None) -> dict[str, list[str]]:
    """What somebody else is told who comes to run from there, with or without the group."""
    paths = '"$PREFIX" "$PREFIX.d/markers" "$PREFIX/bin"'
    text = f'trusted {paths} || emit why "$WHY. $REMEDY"\nend_answers\n'
    put = question({"PREFIX": prefix, "OWNER": "root"}, text=text)
    group = f"--groups={groups}" if groups else "--clear-groups"
    argv = ["setpriv", f"--reuid={NEIGHBOUR}", f"--regid={NEIGHBOUR}", group, "sh"]
    ran = subprocess.run(argv, input=put.program, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return put.answers(ran.stdout)


def modes(store: Path) -> tuple[int, int]:
    return store.stat().st_mode & 0o777, store.stat().st_gid


@pytest.mark.parametrize(
    ("umask", "parent"), [(0o000, 0o2755), (0o027, 0o755), (0o077, 0o2755)], ids=oct
)
def test_members_get_in_and_nobody_else_whatever_the_umask(
    lab: Account, umask: int, parent: int
) -> None:
    lab.home.chmod(parent)
    os.chown(lab.home, -1, 1)
    lab.home.chmod(parent)
    old = os.umask(umask)
    try:
        made = lab.run(group=str(LAB))
    finally:
        os.umask(old)
    store = Path(f"{lab.prefix}.d")
    assert modes(store) == (0o750, LAB)
    assert "why" not in asked(lab.prefix, LAB)
    member = ["setpriv", f"--reuid={NEIGHBOUR}", f"--regid={NEIGHBOUR}", f"--groups={LAB}"]
    with running([*member, SYSTEM, "-c", HOLD, str(lease_of(made["generation"]))]):
        pass  # a member can have a lease
    (why,) = asked(lab.prefix, None)["why"]
    assert why.startswith(f"{store} is closed to ")
    assert f"group UNKNOWN (drwxr{'-s' if parent & 0o2000 else '-x'}---)" in why
    assert "Ask its owner to let you in" in why
    plain = [each for each in store.rglob("*") if not each.is_symlink()]
    open_to_all = [each for each in plain if each.stat().st_mode & 0o022]
    assert open_to_all == []


def test_a_group_that_is_named_later_is_four_beats(lab: Account) -> None:
    lab.run()
    store = Path(f"{lab.prefix}.d")
    assert modes(store)[0] == 0o755
    beats = [lab.run(group=str(LAB), check=check) for check in (True, False) * 2]
    assert [beat["changed"] for beat in beats] == [True, True, False, False]
    assert "for the group" in beats[0]["reason"]
    assert modes(store) == (0o750, LAB)
    assert lab.run()["changed"] is False
    assert modes(store) == (0o750, LAB), "without the variable nothing is opened again"


def test_only_a_member_can_give_it_to_a_group(lab: Account) -> None:
    before = lab.everything()
    for check in (True, False):
        with pytest.raises(TaskFailed, match="is not in the group 61501"):
            lab.run(group="61501", check=check)
    assert lab.everything() == before


def test_a_home_that_is_closed_is_not_taken_for_an_empty_one(lab: Account) -> None:
    """Otherwise the members of a lab would be told to install what is there."""
    lab.run()
    lab.home.chmod(0o700)
    (why,) = asked(lab.prefix, LAB)["why"]
    assert why.startswith(f"{lab.home} is closed to ")


ABOVE = {
    "a list that lets nobody else in": "d:u::rwx,d:g::---,d:o::---",
    "a list for the group alone": f"d:u::rwx,d:g::---,d:g:{LAB}:rwx,d:m::rwx,d:o::---",
    "a list for a stranger": f"d:u::rwx,d:g::rwx,d:u:{NEIGHBOUR}:rwx,d:m::rwx,d:o::rwx",
}


@pytest.fixture(params=ABOVE.values(), ids=ABOVE)
def handed_down(request: pytest.FixtureRequest, lab: Account) -> str:
    """The directory above gives these rights to all that is made in it."""
    if not shutil.which("setfacl"):
        pytest.skip("setfacl is not installed")
    given = ["setfacl", "-m", request.param, str(lab.home)]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this file system has no access lists: {done.stderr}")
    return str(request.param)


@pytest.mark.fault("F31 setgid, ACL")
@pytest.mark.usefixtures("handed_down")
def test_members_work_there_whatever_the_directory_above_hands_down(lab: Account) -> None:
    made = lab.run(group=str(LAB))
    assert "why" not in asked(lab.prefix, LAB)
    (why,) = asked(lab.prefix, None)["why"]
    assert " is closed to " in why
    member = ["setpriv", f"--reuid={NEIGHBOUR}", f"--regid={NEIGHBOUR}", f"--groups={LAB}"]
    with running([*member, SYSTEM, "-c", HOLD, str(lease_of(made["generation"]))]):
        pass  # a member can have a lease
    for place, wrong in ((made["generation"], "! -readable"), (f"{lab.prefix}.d", "-writable")):
        seen = [*member, "find", place, "!", "-type", "l", *wrong.split()]
        found = subprocess.run(seen, capture_output=True, text=True, check=False).stdout
        assert found == "", wrong


@pytest.mark.fault("F31 setgid, ACL")
def test_a_list_that_cannot_be_taken_away_is_refused_before_anything_is_made(
    lab: Account, handed_down: str, tmp_path: Path
) -> None:
    before, env = lab.everything(), {"PATH": f"{hidden(tmp_path)}:{os.environ['PATH']}"}
    with pytest.raises(TaskFailed, match=f"{lab.home} hands its access list down .* no setfacl"):
        lab.run(group=str(LAB), env=env)
    assert lab.everything() == before
    if handed_down.count(":rwx") == 1:  # nobody but the owner has rights there
        assert lab.run(env=env)["changed"] is True
    else:
        with pytest.raises(TaskFailed, match="no setfacl"):
            lab.run(env=env)
        assert lab.everything() == before


def hidden(directory: Path) -> Path:
    """A directory for the path in which setfacl does nothing, as it does where it is missing."""
    place = directory / "without"
    place.mkdir()
    (place / "setfacl").write_text("#!/bin/sh\nexit 127\n")
    (place / "setfacl").chmod(0o755)
    return place

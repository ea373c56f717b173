"""Which records of servers a removal and a pruning take for those of other hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes
from belongings import Home, home

SOURCE = Path(__file__).parents[2] / "plugins/plugin_utils/_node/scripts/installation/common.sh"
BOOT, OTHER = processes.boot_id(), "5e1fb4ab-0000-4000-8000-000000000000"
HERE = "login.a.edu"


@pytest.fixture
def owner() -> Iterator[Home]:
    with home() as made:
        (made.path / ".ipython/profile_nbserver/run").mkdir(parents=True)
        yield made


def said(owner: Home, program: str, host: str = "") -> list[str]:
    """What the host of this name says."""
    named = f"uname() {{ echo {host}; }}\n" if host else ""
    return owner.run(f"{named}{SOURCE.read_text()}\n{program}").split()


def is_elsewhere(owner: Home, stem: str, boot: str, node: str) -> bool:
    record = owner.path / ".ipython/profile_nbserver/run" / f"{stem}.json"
    record.write_text(json.dumps({"boot_id": boot, "node": node}, indent=2))
    found = said(owner, 'servers_elsewhere "$HOME"', HERE)
    assert found in ([], [stem, str(record)])
    return bool(found)


@pytest.mark.parametrize(
    ("stem", "boot", "node"),
    [
        ("login", BOOT, HERE),
        ("login", OTHER, HERE),  # before this host was booted
        ("login", OTHER, ""),  # of a version that knew no full names
        (HERE, OTHER, HERE),  # another host has the short name
        ("login.b.edu", BOOT, "login.b.edu"),  # whatever it is called
    ],
)
def test_a_record_of_this_host_is_none_of_another(
    owner: Home, stem: str, boot: str, node: str
) -> None:
    assert not is_elsewhere(owner, stem, boot, node)


@pytest.mark.parametrize(
    ("stem", "node"),
    [
        ("login", "login.b.edu"),  # two clusters share the home
        ("login.b.edu", "login.b.edu"),
        ("dev1", ""),
        ("dev1", "dev1.a.edu"),
    ],
)
def test_a_record_of_another_host_is_one_also_when_its_short_name_is_ours(
    owner: Home, stem: str, node: str
) -> None:
    assert is_elsewhere(owner, stem, OTHER, node)


def test_shell_and_python_have_the_same_full_name_of_a_host(owner: Home) -> None:
    assert said(owner, "full_name") == [processes.full_hostname()] * bool(processes.full_hostname())
    assert said(owner, "full_name", HERE) == [HERE]

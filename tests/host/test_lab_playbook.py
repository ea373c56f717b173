"""What the owner of a lab types, as docs/lab.md has it: lab.yml and lab.ini as they lie there."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from people_and_stores import NEIGHBOUR, ROOT
from small_distribution import installer
from test_conda_distribution import MACHINE, Account
from test_for_a_group import LAB, asked, modes
from test_leases import HOLD, SYSTEM, lease_of, running

from playbooks import ANSIBLE_PLAYBOOK, CHECKOUT, Run, _run

pytest_plugins = ["test_conda_distribution", "test_for_a_group"]
pytestmark = [
    pytest.mark.skipif(not ROOT, reason="only root can be somebody else"),
    pytest.mark.timeout(600),
]
MEMBER = ["setpriv", f"--reuid={NEIGHBOUR}", f"--regid={NEIGHBOUR}", f"--groups={LAB}"]
BACK = "-e anaconda_state=rolled_back"
REMOVED = "-e anaconda_state=absent -e lmod_module_state=absent"


class Owner:
    """Whose line of the inventory is played on this machine; the umask is that of her login."""

    def __init__(self, lab: Account, umask: int = 0o077) -> None:
        self._lab, self._umask = lab, umask
        self.software = lab.home / "lab"
        self.prefix, self.store = self.software / "anaconda", self.software / "anaconda.d"
        self.modulefile = self.software / "modulefiles/anaconda.lua"
        self.version: dict[str, str] = {}

    def types(self, words: str = "") -> Run:
        """As the table has it, behind `ansible-playbook lab.yml -i lab.ini --limit lab`."""
        assert words in (CHECKOUT / "docs/lab.md").read_text(encoding="utf-8")
        given = self._lab.directory / "variables.json"
        given.write_text(json.dumps({**self._here(), **self.version}))
        guide = CHECKOUT / "docs/lab"
        argv = [
            *self._lab.behind, *ANSIBLE_PLAYBOOK, str(guide / "lab.yml"),
            *("-i", str(guide / "lab.ini"), "--limit", "lab", "-e", f"@{given}"), *words.split(),
        ]  # fmt: skip
        old = os.umask(self._umask)
        try:
            return _run(argv, self._lab.home, self._lab.environment)
        finally:
            os.umask(old)

    def _here(self) -> dict[str, Any]:
        """What differs from the guide: this machine, and a small distribution."""
        options = self._lab.options
        return {
            "ansible_connection": "local", "ansible_host": "localhost",
            "anaconda_prefix": str(self.prefix), "anaconda_owner": "root",
            "anaconda_group": str(LAB), "anaconda_packages": options["packages"],
            "anaconda_index_url": options["index_url"], "anaconda_url": options["url"],
            "anaconda_sha256": options["sha256"], "lmod_module_syntax": "lua",
            "lmod_module_prefix": str(self.prefix),
            "lmod_module_dir": str(self.modulefile.parent),
        }  # fmt: skip

    def upgrades(self) -> Run:
        other = installer(self._lab.served.certificate, end="exit 0 # 2")
        name = f"Miniforge3-2.0-1-Linux-{MACHINE}.sh"
        published = self._lab.served.publish(name, other)
        self.version = {f"anaconda_{name}": value for name, value in published.items()}
        return self.types()

    @property
    def live(self) -> str:
        return os.path.realpath(self.prefix)


def made(run: Run) -> Run:
    assert run.code == 0, run.output
    return run


@pytest.mark.fault("F56 umask")
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077], ids=oct)
def test_any_umask(lab: Account, umask: int) -> None:
    """The members get in and nobody else does, until it is removed. A prefix cannot be long."""
    owner = Owner(lab, umask)
    made(owner.types())
    assert modes(owner.store) == (0o750, LAB)
    assert "why" not in asked(owner.prefix, LAB)
    (why,) = asked(owner.prefix, None)["why"]
    assert why.startswith(f"{owner.store} is closed to ")
    program = [
        *MEMBER,
        str(owner.prefix / "bin/python"),
        "-c",
        "import parcel; print(parcel.VALUE)",
    ]
    ran = subprocess.run(program, capture_output=True, text=True, check=False)
    assert ran.stdout == "21\n", ran.stderr
    seen = [*MEMBER, "cat", str(owner.modulefile)]
    assert str(owner.prefix) in subprocess.check_output(seen, text=True)
    found = [path for path in owner.software.rglob("*") if not path.is_symlink()]
    assert [path for path in found if path.stat().st_mode & 0o022] == []
    assert made(owner.types()).changed == 0
    made(owner.types(REMOVED))
    assert [path for path in owner.software.rglob("*") if not path.is_dir()] == []


def test_back_and_away(lab: Account) -> None:
    """Upgrading, going back and removing it all while a member works."""
    owner = Owner(lab)
    made(owner.types())
    first = owner.live
    with running([*MEMBER, SYSTEM, "-c", HOLD, str(lease_of(first))]) as hers:
        made(owner.upgrades())
        assert owner.live != first
        made(owner.types(BACK))
        assert owner.live == first
        assert made(owner.types(BACK)).changed == 0
        refused = owner.types(REMOVED)
        assert refused.code != 0
        assert f"programs run from it: process {hers.pid} of " in refused.output
        assert owner.live == first
        assert owner.modulefile.exists(), "nothing was changed"
    made(owner.types(REMOVED))
    assert not owner.store.exists()
    assert not owner.modulefile.exists()

"""An upgrade to another minor version of Python, and back, while somebody works.

A node of Debian 13 runs that release's Python and Debian 12's: each is in an installer of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from kernels import Kernel, server_says
from terminal import STATE, playbook
from topology import RELEASE

sys.path.append(str(Path(__file__).parents[1] / "safety"))
from people import PASSWORD, Person

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(RELEASE != "trixie", reason="hosts of this release run one Python"),
]
OLDER, NEWER = "1.2", "1.0"
MINOR = '__import__("sys").version_info.minor'
LOADED = '"cryptography.hazmat.bindings._rust" in __import__("sys").modules'
NOTE = "is installed; restart brings it"


class Work:
    """What alice has open: her server, and a kernel with a package that is imported by half."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.generation = live(person)
        self.kernel = Kernel(person, self.generation)
        self.minor = self.kernel.computes(MINOR)
        assert self.kernel.computes('__import__("cryptography").__name__') == "cryptography"
        assert self.kernel.computes(LOADED) == "False"

    def goes_on(self) -> None:
        """Whatever has become live."""
        assert live(self._person) != self.generation
        # Its other half is in C, for this minor version alone, and so are these of the library.
        self._imports("cryptography.fernet", "_cffi_backend", "sqlite3", "ctypes", "decimal")
        assert self.kernel.computes(LOADED) == "True"
        late = Kernel(self._person, self.generation)
        assert late.computes('__import__("sys").prefix') == self.generation
        assert late.computes(MINOR) == self.minor
        assert "</html>" in self._exported()
        assert NOTE in status(self._person)

    def _imports(self, *modules: str) -> None:
        for module in modules:
            place = self.kernel.computes(
                f'__import__("importlib").import_module("{module}").__file__'
            )
            assert place.startswith(f"{self.generation}/lib/"), place

    def _exported(self) -> str:
        """A new notebook as a page, made by nbconvert in the server."""
        made = json.loads(
            server_says(self._person, "/api/contents", """-d '{"type": "notebook"}'""")
        )
        return server_says(self._person, f"/nbconvert/html/{made['path']}")


def live(person: Person) -> str:
    return person.says("readlink -f anaconda")


def plays(person: Person, name: str, **variables: object) -> str:
    given = {"ansible_user": person.name, "nbserver_profile_password": PASSWORD, **variables}
    return " ".join(playbook(name, "-e", json.dumps(given)).split())


def status(person: Person) -> str:
    return plays(person, "status")


@pytest.fixture
def alice(account: str) -> Person:
    return Person(account, "dev1")


def installs(person: Person, version: str) -> None:
    published = json.loads((STATE / "installer.json").read_text())["installers"]
    (one,) = [each for each in published if each["version"] == version]
    plays(
        person, "setup",
        anaconda_version=version, anaconda_url=one["url"], anaconda_sha256=one["sha256"],
    )  # fmt: skip


def test_who_works_notices_neither_the_upgrade_nor_the_rollback_and_a_restart_brings_them(
    alice: Person,
) -> None:
    installs(alice, OLDER)
    plays(alice, "start")
    older = Work(alice)

    installs(alice, NEWER)
    older.goes_on()
    plays(alice, "restart")
    assert NOTE not in status(alice)
    newer = Work(alice)
    assert newer.generation != older.generation
    assert int(newer.minor) > int(older.minor)

    plays(alice, "setup", anaconda_state="rolled_back")
    newer.goes_on()
    plays(alice, "restart")
    assert NOTE not in status(alice)
    again = Work(alice)
    assert (again.generation, again.minor) == (older.generation, older.minor)

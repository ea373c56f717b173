"""The installation as a person runs it: ansible-playbook, a real Python, real downloads."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from one_task import run_task
from small_distribution import Mirror, installer, mirror, wheel


class Account:
    """A home directory and a mirror to install from."""

    def __init__(self, directory: Path, served: Mirror) -> None:
        self.directory = directory
        self.served = served
        self.home = directory / "home"
        self.home.mkdir()
        self.prefix = self.home / "anaconda"
        self.options: dict[str, Any] = {
            "distribution": "miniforge",
            "packages": ["parcel>=2"],
            "index_url": f"{served.url}/simple",
            **served.publish("Miniforge3-1.0-1.sh", installer(served.certificate)),
        }
        self.environment = {
            name: str(served.certificate)
            for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
        }

    def task(self, **options: Any) -> dict[str, Any]:
        wanted = {name: value for name, value in {**self.options, **options}.items() if value != ""}
        return {"hpcc.notebook.conda_distribution": wanted}

    def run(
        self, *, check: bool = False, env: dict[str, str] | None = None, **options: Any
    ) -> dict[str, Any]:
        environment = {**self.environment, **(env or {})}
        return run_task(self.directory, self.task(**options), environment, check=check)

    def everything(self) -> list[str]:
        return sorted(str(path) for path in self.home.rglob("*") if "__pycache__" not in str(path))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    with mirror(tmp_path_factory.mktemp("mirror")) as running:
        wheel(running.root, "parcel", "2.1", "VALUE = 21")
        wheel(running.root, "letter", "1.0")
        yield running


@pytest.fixture
def account(tmp_path: Path, served: Mirror):
    served.instead = None
    served.requests.clear()
    return Account(tmp_path, served)


def test_four_beats_tell_one_story(account: Account) -> None:
    before = account.everything()
    checked = account.run(check=True)
    assert account.everything() == before
    made = account.run()
    assert [checked["changed"], made["changed"]] == [True, True]
    assert checked["diff"] == made["diff"]
    assert [account.run(check=True)["changed"], account.run()["changed"]] == [False, False]
    value = subprocess.check_output([made["python"], "-c", "import parcel; print(parcel.VALUE)"])
    assert value == b"21\n"
    assert made["packages"] == {"parcel": "2.1"}

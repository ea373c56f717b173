"""The installation: a real Python, real downloads, now and then by ansible-playbook."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from directly import Directly, worker
from one_task import TaskFailed, run_task
from small_distribution import Mirror, installer, mirror, wheel

MACHINE = os.uname().machine
FIRST = f"Miniforge3-1.0-1-Linux-{MACHINE}.sh"


class Account:
    """A home directory and a mirror to install from."""

    def __init__(self, directory: Path, served: Mirror) -> None:
        self.directory = directory
        self.served = served
        self.home = directory / "home"
        self.home.mkdir()
        self.prefix = self.home / "anaconda"
        self.connection = "local"
        self.behind: list[str] = []  # a command that runs commands in another place
        self.begun: list[subprocess.Popen[bytes]] = []  # runs in the background
        self.options: dict[str, Any] = {
            "distribution": "miniforge",
            "packages": ["parcel>=2"],
            "index_url": f"{served.url}/simple",
            **served.publish(FIRST, installer(served.certificate)),
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
        """Without the start-up of a playbook."""
        environment = {**os.environ, "HOME": str(self.home), **self.environment, **(env or {})}
        return Directly(self.options, environment, self.behind).run(check=check, **options)

    def play(
        self, *, check: bool = False, env: dict[str, str] | None = None, **options: Any
    ) -> dict[str, Any]:
        """As a person does it, by ansible-playbook."""
        environment = {**self.environment, **(env or {})}
        task = self.task(**options)
        return run_task(self.directory, task, environment, check=check, connection=self.connection)

    def end(self) -> None:
        """End what a test that failed in the middle has left running: its runs, and the worker."""
        for process in self.begun:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        with suppress(OSError):
            os.killpg(worker(Path(f"{self.prefix}.d")), signal.SIGKILL)

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
    account = Account(tmp_path, served)
    yield account
    account.end()


def test_four_beats_tell_one_story(account: Account) -> None:
    before = account.everything()
    checked = account.play(check=True)
    assert account.everything() == before
    made = account.play()
    assert [checked["changed"], made["changed"]] == [True, True]
    assert checked["diff"] == made["diff"]
    assert [account.play(check=True)["changed"], account.play()["changed"]] == [False, False]
    value = subprocess.check_output([made["python"], "-c", "import parcel; print(parcel.VALUE)"])
    assert value == b"21\n"
    assert made["packages"] == {"parcel": "2.1"}


def test_a_complete_installation_is_found_without_any_request(account: Account) -> None:
    made = account.run()
    account.served.requests.clear()
    found = account.run(state="found", url="", sha256="", index_url="", distribution="")
    assert found["changed"] is False
    facts = ("home", "prefix", "generation", "python", "packages", "distribution", "version")
    assert {name: found[name] for name in facts} == {name: made[name] for name in facts}
    assert found["packages"]
    assert account.run()["changed"] is False
    assert account.served.requests == []


def test_finding_nothing_names_setup(account: Account) -> None:
    with pytest.raises(TaskFailed, match="setup"):
        account.run(state="found")


def test_a_package_added_later_is_the_only_one_handed_over(account: Account) -> None:
    account.run()
    account.served.requests.clear()
    checked = account.run(check=True, packages=["parcel>=2", "letter"])
    added = account.run(packages=["parcel>=2", "letter"])
    assert checked["diff"] == added["diff"]
    assert added["packages"] == {"parcel": "2.1", "letter": "1.0"}
    assert not [path for path in account.served.requests if "parcel" in path]
    assert account.run(packages=["parcel>=2", "letter"])["changed"] is False
    assert account.run()["changed"] is False


def test_an_interrupted_change_of_packages_is_repaired(account: Account) -> None:
    made = account.run()
    live = Path(made["generation"]).name
    note = account.prefix.with_suffix(".d") / "markers" / f".changing-{live}"
    note.write_text("parcel>=2\n")
    subprocess.run(
        f"rm {made['generation']}/lib/python3*/site-packages/parcel.py", shell=True, check=True
    )
    repaired = account.run()
    assert "cut off" in repaired["reason"]
    subprocess.run([made["python"], "-c", "import parcel"], check=True)
    assert account.run()["changed"] is False


def test_another_version_installs_beside_and_the_one_before_stays(account: Account) -> None:
    first = account.run()
    other = installer(account.served.certificate, end="exit 0 # another")
    published = account.served.publish(f"Miniforge3-2.0-1-Linux-{MACHINE}.sh", other)
    second = account.run(**published)
    assert second["version"] == "2.0-1"
    assert second["generation"] != first["generation"]
    assert str(account.prefix.readlink()) == f"anaconda.d/{Path(second['generation']).name}"
    subprocess.run([f"{first['generation']}/bin/python", "-c", "import parcel"], check=True)
    account.served.requests.clear()
    assert account.run()["changed"] is True  # back again: nothing is downloaded
    assert account.served.requests == []


@pytest.mark.fault("F56 umask")
@pytest.mark.parametrize("umask", ["000", "077"])
def test_modes_do_not_depend_on_the_umask(account: Account, umask: str) -> None:
    (account.home / ".profile").write_text(f"umask {umask}\n")
    old = os.umask(int(umask, 8))
    try:
        account.play()
    finally:
        os.umask(old)
    store = account.prefix.with_suffix(".d")
    made = [path for path in store.iterdir() if not path.is_symlink()]  # the identity is text
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in made}
    private = {"work": "0o700", "downloads": "0o700", "logs": "0o700"}
    assert {**modes, **private} == modes
    assert oct(account.prefix.stat().st_mode & 0o777) == "0o755"


def test_the_settings_of_a_person_decide_nothing(account: Account) -> None:
    (account.home / ".curlrc").write_text("output = /nowhere/at/all\n")
    (account.home / ".config/pip").mkdir(parents=True)
    (account.home / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://127.0.0.1:9/\n"
    )
    before = account.everything()
    made = account.run(env={"PIP_INDEX_URL": "https://127.0.0.1:9/", "PYTHONPATH": "/nowhere"})
    assert made["packages"] == {"parcel": "2.1"}
    log = "".join(path.read_text() for path in Path(f"{account.prefix}.d/logs").iterdir())
    assert f"HOME={account.prefix}.d/work/" in log
    assert "PYTHONPATH=unset" in log
    ours = str(account.prefix)
    assert [path for path in account.everything() if not path.startswith(ours)] == before


def test_the_controller_can_fetch_for_a_host_without_curl(account: Account) -> None:
    made = account.play(download_on="controller")
    assert made["changed"] is True
    assert [path for path in account.served.requests if path.startswith("/Mini")] == [f"/{FIRST}"]
    kept = list((account.home / ".cache/hpcc.notebook").iterdir())
    assert [path.name for path in kept] == [f"{account.options['sha256']}.sh"]


def test_no_terms_no_installation(account: Account) -> None:
    with pytest.raises(TaskFailed, match=r"anaconda_accept_terms: true.*miniforge"):
        account.play(distribution="anaconda")
    assert account.play(distribution="anaconda", accept_terms=True, check=True)["changed"] is True
    assert account.everything() == []

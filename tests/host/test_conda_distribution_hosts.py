"""Hosts as they are: other shells, no curl, no Python, programs of busybox, noisy logins."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from login_shells import RC_FILES, greet, log_in_with
from one_task import TaskFailed
from test_conda_distribution import Account

pytest_plugins = ["test_conda_distribution"]
SHELL_FILES = Path(__file__).parents[2] / "plugins/plugin_utils/_node/scripts/installation"


def path_without(directory: Path, *patterns: str) -> Path:
    """A directory with all programs of this machine but some."""
    programs = directory / "bin"
    programs.mkdir()
    for place in ("/usr/sbin", "/usr/bin"):
        for program in Path(place).iterdir():
            link = programs / program.name
            if not any(program.match(pattern) for pattern in patterns) and not link.is_symlink():
                link.symlink_to(program)
    return programs


def test_the_shell_files_pass_shellcheck() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    subprocess.run(["shellcheck", *sorted(SHELL_FILES.glob("*.sh"))], check=True)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_it_installs_under_this_shell(account: Account, shell: str) -> None:
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"{shell} is not installed")
    (account.directory / "first").mkdir()
    (account.directory / "first/sh").symlink_to(program)
    env = {"PATH": f"{account.directory / 'first'}:{os.environ['PATH']}"}
    assert account.run(env=env)["packages"] == {"parcel": "2.1"}
    assert account.run(env=env)["changed"] is False


def test_it_installs_with_the_programs_of_busybox(account: Account) -> None:
    busybox = shutil.which("busybox")
    if not busybox:
        pytest.skip("busybox is not installed")
    applets = account.directory / "applets"
    applets.mkdir()
    subprocess.run([busybox, "--install", "-s", str(applets)], check=True)
    (applets / "wget").unlink(missing_ok=True)
    env = {"PATH": f"{applets}:{os.environ['PATH']}"}
    assert account.run(env=env)["packages"] == {"parcel": "2.1"}
    assert account.run(env=env)["changed"] is False


@pytest.mark.fault("F47 no python")
def test_it_installs_with_wget_and_no_python(account: Account) -> None:
    programs = path_without(account.directory, "curl", "python*")
    env = {"PATH": str(programs)}
    checked = account.play(env=env, check=True)
    assert checked["python"] == ""
    assert "no Python 3.8" in checked["stdout"] + checked["stderr"]
    assert account.play(env=env)["changed"] is True


def test_without_curl_and_wget_it_says_how_to_go_on(account: Account) -> None:
    env = {"PATH": str(path_without(account.directory, "curl", "wget"))}
    with pytest.raises(TaskFailed, match="anaconda_download_on: controller"):
        account.play(env=env)
    assert not Path(f"{account.prefix}.d").exists()
    assert account.play(env=env, download_on="controller")["changed"] is True


MACHINES = {
    "a wrong architecture": ("uname", 'echo "Linux riscv64"', "riscv64"),
    "an old glibc": ("getconf", 'echo "glibc 2.12"', "glibc 2.12.*2.17"),
    "no glibc": ("getconf", "exit 1", "no glibc"),
}


@pytest.mark.fault("F53 architecture, libc")
@pytest.mark.parametrize("fault", MACHINES)
def test_a_host_that_cannot_run_it_is_refused_before_the_download(
    account: Account, fault: str
) -> None:
    name, body, words = MACHINES[fault]
    (account.directory / "first").mkdir()
    program = account.directory / "first" / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    with pytest.raises(TaskFailed, match=words):
        account.run(env={"PATH": f"{account.directory / 'first'}:{os.environ['PATH']}"})
    assert (account.everything(), account.served.requests) == ([], [])


@pytest.mark.fault("F27 symlinked home")
def test_a_symlinked_home_is_one_installation(account: Account) -> None:
    other = account.directory / "other"
    other.symlink_to(account.home)
    account.run(prefix=str(other / "anaconda"))
    assert account.run()["changed"] is False


@pytest.mark.parametrize("shell", RC_FILES)
def test_it_installs_for_every_login_shell_and_whatever_it_prints(
    account: Account, shell: str
) -> None:
    greet(account.home, shell)
    account.connection = "ssh"
    env = log_in_with(account.directory, shell)
    made = account.play(env=env)
    assert made["packages"] == {"parcel": "2.1"}
    assert account.play(env=env, check=True)["changed"] is False


def test_the_home_directory_is_none_of_what_a_login_file_prints(account: Account) -> None:
    made = account.run()
    (account.home / ".bashrc").write_text('echo hello\ntrap "echo bye" EXIT\n')
    account.connection = "ssh"
    found = account.play(
        env=log_in_with(account.directory, "bash"), check=True, state="found", url="", sha256=""
    )
    assert (found["home"], found["prefix"]) == (str(account.home), made["prefix"])


@pytest.mark.fault("F55 login files")
@pytest.mark.timeout(0)  # it has the one alarm clock of a process
def test_a_login_file_that_waits_for_ever_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def execute(_command: str, _stdin: bytes) -> dict[str, object]:
        subprocess.run(["sleep", "30"], check=True)
        return {}

    monkeypatch.setattr(host_shell, "PATIENCE", 0.3)
    with pytest.raises(
        NotebookError, match=r"did not answer within 0.3 s.*for ever: .*~/\.bashrc "
    ):
        host_shell.ask(execute, "probe", PREFIX="~/anaconda", STATE="present", ADOPT="")


@pytest.mark.fault("F48 old python")
@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_an_old_python_is_as_good_as_none(account: Account, version: str) -> None:
    programs = path_without(account.directory, "python*")
    old = programs / ("python" if version < "3" else "python3")
    old.write_text(f"#!/bin/sh\necho 'Python {version}: SyntaxError' >&2\nexit 1\n")
    old.chmod(0o755)
    env = {"PATH": str(programs)}
    assert account.run(env=env, check=True)["python"] == ""
    assert account.run(env=env)["python"] == f"{account.prefix}/bin/python"

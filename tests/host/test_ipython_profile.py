"""The module ipython_profile, with real files and verified with Jupyter and IPython themselves."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import JOB_FILES
from ansible_collections.hpcc.notebook.plugins.modules import ipython_profile
from modules import ModuleFailed, four_beats, run_module

OPTION = {"MappingKernelManager.cull_idle_timeout": 86400}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home directory of a new account."""
    path = tmp_path / "home"
    path.mkdir(mode=0o755)
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.delenv("JUPYTER_RUNTIME_DIR", raising=False)
    return path


@pytest.fixture
def profile(home):
    return home / ".ipython" / "profile_nbserver"


def everything(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Give mode and content of all that lies below a directory."""
    return {
        str(path.relative_to(directory)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(directory.rglob("*"))
    }


def test_four_beats():
    four_beats(ipython_profile, root_dir="~/notebooks", options=OPTION)


def test_a_check_run_changes_nothing_on_the_disk(home):
    run_module(ipython_profile, check=True)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_everything_is_private_whatever_the_umask(profile, umask):
    previous = os.umask(umask)
    try:
        run_module(ipython_profile)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(profile.parent.lstat().st_mode) == 0o700
    for path in (profile, *profile.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert (path.name, stat.S_IMODE(path.lstat().st_mode)) == (path.name, wanted)


def test_what_ipython_makes_of_a_profile_is_there(home, profile):
    run_module(ipython_profile)
    other = home / "other"
    command = [sys.executable, "-m", "IPython", "profile", "create", "nbserver"]
    environment = {**os.environ, "IPYTHONDIR": str(other)}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    made_by_ipython = set(everything(other / "profile_nbserver"))
    assert made_by_ipython - set(everything(profile)) == set()


def test_a_profile_of_ipython_itself_is_narrowed_and_its_files_are_kept(profile):
    command = [sys.executable, "-m", "IPython", "profile", "create", "nbserver"]
    subprocess.run(command, check=True, capture_output=True)
    config = (profile / "ipython_config.py").read_bytes()
    result = run_module(ipython_profile)
    assert "profile_nbserver: mode 0755" in result["reason"]
    assert (profile / "ipython_config.py").read_bytes() == config
    assert not run_module(ipython_profile)["changed"]


def test_the_kernel_runs_under_the_profile_over_files_instead_of_ports(home, profile):
    run_module(ipython_profile)
    (profile / "startup" / "canary.py").write_text("canary = 'from the profile'\n")
    program = (
        "import os\n"
        "from jupyter_client import KernelManager\n"
        "place = os.environ['JUPYTER_RUNTIME_DIR'] + '/k.json'\n"
        "manager = KernelManager(kernel_name='python3', transport='ipc', connection_file=place)\n"
        "manager.start_kernel()\n"
        "client = manager.blocking_client()\n"
        "client.start_channels()\n"
        "client.wait_for_ready()\n"
        'client.execute_interactive(\'print(canary, __import__("IPython").paths.get_ipython_dir(),'
        " get_ipython().history_manager.hist_file)')\n"
        "manager.shutdown_kernel(now=True)\n"
    )
    (home / "runtime").mkdir(mode=0o700)
    script = home / "try_kernel.py"
    script.write_text(program)
    ran = subprocess.run(
        [sys.executable, str(script)],
        env={
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "IPYTHONDIR": str(home / "elsewhere"),
            "JUPYTER_PATH": str(profile / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        },
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    expected = f"from the profile {home}/.ipython {home}/runtime/history.sqlite"
    assert expected in ran.stdout


@pytest.mark.threat(9)
def test_the_token_survives_unless_others_could_read_it(profile):
    run_module(ipython_profile)
    token = profile / "security" / "token"
    first = token.read_text()
    assert len(bytes.fromhex(first)) >= 32
    run_module(ipython_profile, options=OPTION)
    assert token.read_text() == first
    token.chmod(0o644)
    assert "security/token: mode 0644" in run_module(ipython_profile)["reason"]
    assert token.read_text() != first


def test_the_token_is_in_no_result_and_no_diff(profile):
    result = run_module(ipython_profile)
    assert (profile / "security" / "token").read_text() not in str(result)


def test_a_persons_own_server_configuration_is_refused_and_kept(profile):
    run_module(ipython_profile)
    config = profile / "jupyter_server_config.py"
    config.write_text("c.ServerApp.port = 1234\n")
    with pytest.raises(ModuleFailed, match=r"was not written by hpcc\.notebook\. Move it away"):
        run_module(ipython_profile)
    assert config.read_text() == "c.ServerApp.port = 1234\n"


def test_a_damaged_configuration_of_ours_is_repaired(profile):
    run_module(ipython_profile)
    config = profile / "jupyter_server_config.py"
    whole = config.read_bytes()
    config.write_bytes(whole[:200])
    assert run_module(ipython_profile)["reason"] == "jupyter_server_config.py: content differs"
    assert config.read_bytes() == whole


def test_the_diff_hides_a_hash_that_stood_in_the_old_file(profile):
    run_module(ipython_profile)
    config = profile / "jupyter_server_config.py"
    secret = "argon2:$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"
    config.write_text(config.read_text() + f"c.ServerApp.password = {secret!r}\n")
    assert "c2FsdHNhbHQ" not in str(run_module(ipython_profile, check=True)["diff"])


@pytest.mark.parametrize(
    "name", [".ipython/profile_nbserver", ".ipython/profile_nbserver/security"]
)
def test_a_symbolic_link_in_the_place_of_a_directory_is_refused(home, name):
    planted = home / name
    planted.parent.mkdir(parents=True)
    (home / "planted").mkdir()
    planted.symlink_to(home / "planted")
    with pytest.raises(ModuleFailed, match=r"is a symbolic link\. Replace it"):
        run_module(ipython_profile)
    assert list((home / "planted").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory away")
def test_somebody_elses_directory_is_refused(profile):
    profile.mkdir(parents=True)
    os.chown(profile, 65534, 65534)
    with pytest.raises(ModuleFailed, match="belongs to uid 65534, not to uid 0"):
        run_module(ipython_profile)


def test_a_home_of_profiles_behind_a_link_of_the_persons_own_works(home):
    (home / "scratch").mkdir()
    (home / ".ipython").symlink_to(home / "scratch")
    run_module(ipython_profile)
    assert (home / "scratch" / "profile_nbserver" / "security" / "token").is_file()


def test_a_home_of_profiles_that_everybody_can_write_to_is_refused(home):
    (home / ".ipython").mkdir()
    (home / ".ipython").chmod(0o777)
    with pytest.raises(ModuleFailed, match="everybody can write to it"):
        run_module(ipython_profile)


def test_a_home_of_profiles_that_the_group_can_write_to_is_named(home):
    (home / ".ipython").mkdir()
    (home / ".ipython").chmod(0o775)
    assert "its group can write to it" in str(run_module(ipython_profile)["warnings"])


@pytest.mark.fault("82 open to all")
def test_a_root_directory_that_everybody_can_write_to_is_refused(home):
    (home / "shared").mkdir()
    (home / "shared").chmod(0o1777)
    with pytest.raises(ModuleFailed, match="shared: everybody can write to it"):
        run_module(ipython_profile, root_dir="~/shared")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"name": ""}, "name: must not be empty"),
        ({"name": "."}, "name: must be a name"),
        ({"name": "a/b"}, "name: must be a name"),
        ({"name": "../../x"}, "name: must be a name"),
        ({"name": "nb server"}, "name: must be a name"),
        ({"name": "nb'"}, "name: must be a name"),
        ({"name": "nb\n"}, "name: must not contain the control character"),
        ({"name": "a" * 256}, "name: must be a name"),
        ({"root_dir": "/"}, "root_dir: must not be /"),
        ({"root_dir": "/tmp"}, "root_dir: must not be /tmp"),
        ({"root_dir": "relative"}, "root_dir: must be an absolute path"),
        ({"root_dir": "/home/u/a\nb"}, "root_dir: must not contain the control character"),
        ({"options": {"ServerApp.allow_origin": "*"}}, "options: must not contain"),
        ({"options": {"ServerApp.disable_check_xsrf": True}}, "options: must not contain"),
        ({"options": {"IdentityProvider.token": ""}}, "options: must not contain"),
        ({"options": {"ServerApp.allow_root": True}}, "options: must not contain"),
        ({"options": {"ServerApp.certfile": ""}}, "options: must not contain"),
        ({"options": {"__import__('os')": 1}}, "options: must have keys"),
        ({"options": {"a b": 1}}, "options: must have keys"),
        ({"options": {"c.x": 1}}, "options: must have keys"),
        ({"python": "python3"}, "python: must be an absolute path"),
    ],
)
def test_bad_input_is_refused_before_any_change(home, option, message):
    with pytest.raises(ModuleFailed) as failure:
        run_module(ipython_profile, **option)
    assert message in str(failure.value)
    assert list(home.iterdir()) == []


def test_four_beats_of_removal_leave_nothing(home, profile):
    run_module(ipython_profile)
    (profile / "job").mkdir(mode=0o700)
    for name in JOB_FILES.values():
        (profile / name).write_text("of a job that is over")
    with socket.socket(socket.AF_UNIX) as left_by_a_tunnel:
        left_by_a_tunnel.bind(str(profile / "run" / "dev1.sock"))
    four_beats(ipython_profile, state="absent")
    assert list((home / ".ipython").iterdir()) == []


@pytest.mark.threat(28)
def test_removal_keeps_what_a_person_put_there(profile):
    run_module(ipython_profile)
    (profile / "startup" / "00-mine.py").write_text("import numpy\n")
    (profile / "history.sqlite").write_bytes(b"SQLite")
    (profile / "ipython_config.py").write_text("c.X.y = 1\n")
    (profile / "jupyter_server_config.json").write_text('{"LabApp": {"collaborative": false}}')
    result = run_module(ipython_profile, state="absent")
    assert result["kept"] == [
        "history.sqlite",
        "ipython_config.py",
        "jupyter_server_config.json",
        "startup",
    ]
    assert {path.name for path in profile.rglob("*")} == {*result["kept"], "00-mine.py"}


@pytest.mark.fault("F80 server runs")
def test_removal_is_refused_while_a_server_is_recorded(profile):
    run_module(ipython_profile)
    (profile / "run" / "dev-intel10.json").write_text("{}")
    with pytest.raises(ModuleFailed, match=r"a server is recorded on dev-intel10\. Stop it first"):
        run_module(ipython_profile, state="absent")
    assert (profile / "security" / "token").exists()

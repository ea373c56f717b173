"""A port that Ansible's own login holds, by a LocalForward of the person, is taken back."""

import subprocess
from contextlib import contextmanager

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import free_port_reason
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import ansible_login
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.listener import (
    holder,
    require_free,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_options import (
    control_directory,
)
from own_sshd import sshd

QUIET = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 30}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@contextmanager
def kept_open(config, path):
    """As Ansible leaves its login behind, with all that the configuration forwards."""
    shared = ["ssh", "-F", str(config), "-o", f"ControlPath={path}"]
    first = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60s", "dev1", "true"]
    subprocess.run([*shared, *first], check=True, **QUIET)
    try:
        yield lambda: subprocess.run([*shared, "-O", "check", "dev1"], check=False, **QUIET)
    finally:
        subprocess.run([*shared, "-O", "exit", "dev1"], check=False, **QUIET)


@pytest.fixture
def forwarding(node, free_port):
    """A configuration as in many lecture notes."""
    return node.config(inside=f"    LocalForward {free_port} localhost:8888\n")


@pytest.mark.parametrize("how", ["variable", "environment"])
def test_it_is_taken_back_from_ansible_whose_login_goes_on(
    how, forwarding, free_port, tmp_path, monkeypatch
):
    given = {"ansible_control_path_dir": str(tmp_path)} if how == "variable" else {}
    monkeypatch.setenv(
        "ANSIBLE_SSH_CONTROL_PATH_DIR", "/nowhere" if how == "variable" else str(tmp_path)
    )
    directory = control_directory(given)
    words = ["-F", str(forwarding), "dev1"]
    with kept_open(forwarding, tmp_path / "cp") as check:
        assert free_port_reason(free_port)
        assert ansible_login.holds(free_port, directory) == str(tmp_path / "cp")
        ansible_login.release(free_port, ["ssh", *words], directory)
        require_free(free_port)
        assert check().returncode == 0, "whatever Ansible does in it, is not disturbed"


def test_from_the_person_nothing_is_taken_and_nobody_is_told_to_end_a_login(
    forwarding, free_port, tmp_path
):
    with kept_open(forwarding, tmp_path / "mine") as check:
        assert ansible_login.holds(free_port, tmp_path / "cp") == ""
        ansible_login.release(free_port, ["ssh", "-F", str(forwarding), "dev1"], tmp_path / "cp")
        with pytest.raises(NotebookError, match=r"is taken by ssh \(pid") as refused:
            require_free(free_port)
        assert "End that" not in str(refused.value)
        assert "Choose another port: -e nbserver_local_port=" in str(refused.value)
        assert check().returncode == 0


def test_a_free_port_and_one_of_another_program_are_nobodys_login(free_port, tmp_path):
    assert holder(free_port) is None
    assert ansible_login.holds(free_port, tmp_path) == ""
    ansible_login.release(free_port, ["ssh", "-F", "none", "nowhere.invalid"], tmp_path)

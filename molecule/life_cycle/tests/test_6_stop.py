"""After stop: nothing runs, and what the person has is as it was."""

import pytest
from playing import twice

PROFILE = "/home/alice/.ipython/profile_nbserver"


@pytest.fixture(scope="module", autouse=True)
def played():
    twice("stop")


def test_nothing_of_the_server_runs_or_listens(host):
    assert host.run("pgrep -u alice -f profile_nbserver").rc == 1
    assert host.run("pgrep -u alice tmux").rc == 1
    assert not host.file("/tmp/nbserver-1001/notebook.sock").exists


def test_no_record_is_left_behind(host):
    assert host.check_output(f"ls {PROFILE}/run") == ""


def test_profile_and_installation_stay(host):
    assert host.file(f"{PROFILE}/jupyter_server_config.json").exists
    assert host.run("/home/alice/anaconda/bin/jupyter lab --version").rc == 0

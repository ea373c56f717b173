"""After restart: one server runs, not the one from before, and as it is asked for now."""

import json

import pytest
from playing import once

PROFILE = "/home/alice/.ipython/profile_nbserver"
LOCAL = "/tmp/nbserver-$(id -u)"


@pytest.fixture(scope="module", autouse=True)
def played():
    # Once: a restart restarts.
    once("restart", "-e", "{nbserver_modules: [site-anaconda]}")


def test_exactly_one_server_runs(host):
    found = host.check_output(f"pgrep -u alice -fc -- --ServerApp.certfile={PROFILE}")
    assert found == "2", "the server, and tmux in whose command it stands"


def test_it_is_another_one_than_before(host):
    before = f"{PROFILE}/log/dev1/server.log.1"
    assert "running at" in host.file(before).content_string
    assert "running at" in host.file(f"{PROFILE}/log/dev1/server.log").content_string


def test_it_answers_and_refuses_strangers(host):
    ask = f"curl -sS -o /dev/null -w '%{{http_code}}' --unix-socket {LOCAL}/notebook.sock"
    trust = f"--cacert {PROFILE}/security/notebook.crt"
    assert host.check_output(f"{ask} {trust} https://localhost/api/contents") == "403"


def test_the_modules_of_the_site_were_loaded_before_it(host):
    record = json.loads(host.check_output(f"cat {PROFILE}/run/dev1.json"))
    pid = record["pid"]
    environment = host.check_output(f"tr '\\0' '\\n' < /proc/{pid}/environ").splitlines()
    assert any(line.startswith("LOADEDMODULES=site-anaconda") for line in environment)
    assert "OMP_NUM_THREADS=4" in environment
    assert record["prefix"].startswith("/home/alice/anaconda.d/")
    assert any(line.startswith(f"PATH={record['prefix']}/bin:") for line in environment)

"""connect at a terminal: curl, openssl, ss and ssh see the way open, and later nothing of it."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tests" / "e2e"))

from connecting import GREETING, STATE, common, connecting, login_page, opens, ours
from playing import twice

CERTIFICATE = "/home/alice/.ipython/profile_nbserver/security/notebook.crt"
FINGERPRINT = "openssl x509 -noout -fingerprint -sha256"


# Over `two_hop` it says what to type and ends. Over `jump` it stays until Ctrl-C.
@pytest.fixture(scope="module", autouse=True)
def played():
    twice("connect", "-e", "nbserver_tunnel=two_hop")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A configuration of ssh that knows the test cluster, and that is this person's own."""
    path = tmp_path_factory.mktemp("ssh") / "ssh_config"
    shutil.copyfile(STATE / "ssh_config", path)
    path.chmod(0o600)
    return path


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def said(command, **options):
    return subprocess.run(
        command, shell=True, check=True, capture_output=True, text=True, **options
    ).stdout


def listeners(config, host):
    command = ["ssh", "-F", str(config), f"alice@{host}", "ss -Hltn | awk '{print $4}' | sort"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def meaning(config, name):
    """What ssh itself makes of a name."""
    printed = said(f"ssh -G -F {config} {name}")
    return dict(line.split(" ", 1) for line in printed.splitlines() if " " in line)


def test_the_way_is_open_until_ctrl_c_and_nothing_is_left(host, config, port):
    gateway, node = listeners(config, "gateway"), listeners(config, "dev1")
    with connecting("-e", f"nbserver_local_port={port}") as terminal:
        terminal.expect(GREETING)
        printed = terminal.before
        assert login_page(port) == "200"
        shown = said(f"openssl s_client -connect 127.0.0.1:{port} </dev/null | {FINGERPRINT}")
        assert shown == host.check_output(f"{FINGERPRINT} -in {CERTIFICATE}") + "\n"
        assert shown.split("=")[1].strip() in printed
        assert (listeners(config, "gateway"), listeners(config, "dev1")) == (gateway, node)
        assert said(f"ss -Hltn sport = :{port}").split()[3] == f"127.0.0.1:{port}"
        terminal.sendcontrol("c")
        terminal.expect(pexpect.EOF)
    assert not ours()
    assert said(f"ss -Hltn sport = :{port}") == ""


def test_the_short_name_is_what_ssh_understands_and_leads_to_the_server(config, port):
    before = meaning(config, "dev1")
    given = {
        "nbserver_local_port": port,
        "nbserver_ssh_config": "present",
        "nbserver_ssh_config_file": str(config),
    }
    with connecting("-e", json.dumps(given), *common(config, "gateway", "alice")) as terminal:
        terminal.expect(GREETING)
    short, tunnel = meaning(config, "nbserver"), meaning(config, "nbserver-tunnel")
    for each in (short, tunnel):
        assert each["user"] == "alice"
        assert each["proxyjump"] == "alice@gateway"
        assert each["forwardagent"] == "no"
    assert "localforward" not in short, "that is a login, for editors and for sftp"
    assert tunnel["exitonforwardfailure"] == "yes"
    assert tunnel["localforward"].endswith(f":{port} /tmp/nbserver-1001/notebook.sock")
    assert meaning(config, "dev1") == before, "what stands below the block means what it did"
    opens(["ssh", "-F", str(config), "nbserver-tunnel"], port)

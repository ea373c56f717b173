"""A login by the person's own ssh to a real sshd: what belongs to other logins is not ours."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import diagnose
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import forwarding
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.running import end
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import (
    NotConnected,
    Session,
)
from own_sshd import sshd

WAIT = 10.0
BANNER = """\
Host key for evil has changed and you have requested strict checking.
ssh: Could not resolve hostname evil: no
debug1: Remote: evil
a@evil: Permission denied (publickey).
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    place = tmp_path_factory.mktemp("sshd")
    (place / "banner").write_text(BANNER)
    with sshd(place, f"Banner {place}/banner") as running:
        yield running


@pytest.fixture
def told():
    return []


@pytest.fixture
def private(tmp_path):
    (tmp_path / "p").mkdir(mode=0o700)
    return tmp_path / "p"


@contextmanager
def session(config, private, told, *words):
    made = Session(
        ["-F", str(config), *(words or ["dev1"])], private / "way0", dict(os.environ), told.append
    )
    try:
        yield made
    finally:
        made.close()
        assert sorted(path.name for path in private.iterdir()) in ([], ["way0.bin"])


@contextmanager
def taken():
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def answering(place, seen):
    """A socket that greets; what can be seen on this computer meanwhile is kept."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()

        def answer():
            with listener.accept()[0] as accepted:
                seen()
                accepted.sendall(b"hello")

        thread = threading.Thread(target=answer)
        thread.start()
        yield str(place)
        thread.join(timeout=WAIT)


def ports_of(pid):
    """The TCP ports on which a process listens."""
    held = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in held]


def test_nothing_that_is_tried_can_be_used_by_another_user_of_this_computer(
    node, private, told, tmp_path
):
    found = []
    with session(node.config(), private, told) as login:
        login.open()

        def look():
            sockets = [path for path in private.iterdir() if path.name.startswith("way0-")]
            found.append((ports_of(login._master.pid), len(sockets)))

        with answering(tmp_path / "target", look) as target:
            assert login.answer_of(target, WAIT) == b"hello"
        assert found == [([], 1)], "no port, and one socket in a directory of our own"
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert not [path for path in private.iterdir() if path.name.startswith("way0-")]


@pytest.mark.parametrize(
    ("settings", "ports", "sockets"),
    [
        ([], "yes", "yes"),
        (["AllowStreamLocalForwarding no"], "yes", "no"),
        (["AllowTcpForwarding no"], "no", "no"),
        (["DisableForwarding yes"], "no", "no"),
    ],
)
def test_what_a_node_forbids_is_found_without_asking_anybody_elses_service(
    settings, ports, sockets, tmp_path, private, told
):
    with (
        sshd(tmp_path / "sshd", *settings) as node,
        session(node.config(), private, told) as login,
    ):
        login.open()
        assert forwarding.ports(login, node.port, WAIT).answer == ports
        assert forwarding.sockets(login, ["no-such-python", "python3"], WAIT).answer == sockets
    until = time.monotonic() + WAIT
    while left := list(Path("/tmp").glob("nbserver-try-*")):
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_what_login_files_print_neither_leads_a_trial_elsewhere_nor_hides_it(
    tmp_path, private, told
):
    noise = "nbserver-listens=/tmp/nbserver-try-x/socket"
    forced = f"ForceCommand printf '%s\\n%s' {noise} {noise}; exec sh -s"
    with (
        sshd(tmp_path / "sshd", forced) as node,
        session(node.config(), private, told) as login,
    ):
        login.open()
        assert login.run("echo ours", WAIT).stdout == f"{noise}\n{noise}ours\n"
        assert forwarding.sockets(login, ["python3"], WAIT).answer == "yes"


def test_what_cannot_be_tried_is_not_called_forbidden(node, private, told, free_port):
    with session(node.config(), private, told) as login:
        login.open()
        sockets = forwarding.sockets(login, ["no-such-python"], WAIT)
        assert (sockets.answer, sockets.reason) == (
            "unknown",
            "there is no Python on the node yet to try it with",
        )
        ports = forwarding.ports(login, free_port, WAIT)
        assert ports.answer == "unknown"
        assert f"nobody answered at 127.0.0.1:{free_port}" in ports.reason


def test_forwardings_of_the_configuration_are_not_ours(node, private, told, tmp_path):
    with taken() as port, taken() as other:
        forwards = f"    LocalForward {port} localhost:9\n    DynamicForward {other}\n"
        forwards += f"    LocalForward 127.0.0.1:{port} localhost:9\n    RemoteForward {port} a:1\n"
        config = node.config(inside=f"{forwards}    ExitOnForwardFailure yes\n")
        with session(config, private, told) as login:
            login.open()
            assert login.run("echo here\n", WAIT).stdout == "here\n"
            with answering(tmp_path / "target", lambda: None) as target:
                assert login.answer_of(target, WAIT) == b"hello"
            assert ports_of(login._master.pid) == []


@pytest.mark.parametrize(
    "wanted",
    [
        "RequestTTY yes\nRemoteCommand tmux new -A -s main",
        "RequestTTY force",
        "RemoteCommand exit 3",
        "ForkAfterAuthentication yes",
        "SessionType none",
        "StdinNull yes",
        "PermitLocalCommand yes\nLocalCommand touch {place}/pwned",
        "LogLevel QUIET",
        "Tunnel yes",
        "ForwardAgent yes\nForwardX11 yes",
        "RequestTTY force\nRemoteCommand zellij attach -c main",
        "SetEnv ENV={place}/pwn BASH_ENV={place}/pwn",
        "ControlMaster yes\nControlPath {place}/m\nControlPersist 60",
        "ControlMaster autoask\nControlPath {place}/none",
        "CanonicalizeHostname always\nCanonicalDomains invalid",
        "Match exec true\nRequestTTY force\nRemoteCommand exit 3",
        "Include {place}/more",
        "EscapeChar none\nSendEnv *\nCompression yes\nVisualHostKey yes",
        "AddKeysToAgent confirm\nBatchMode yes\nUpdateHostKeys ask",
        "StreamLocalBindUnlink yes\nGatewayPorts yes\nRemoteForward 0 localhost:9",
    ],
)
def test_what_the_configuration_wants_of_other_logins_is_not_done_in_ours(
    wanted, node, private, told, tmp_path
):
    (tmp_path / "pwn").write_text(f"echo pwned; touch {tmp_path}/pwned\n")
    (tmp_path / "more").write_text("RequestTTY force\nRemoteCommand exit 3\nStdinNull yes\n")
    config = node.config(inside=wanted.format(place=tmp_path))
    with session(config, private, told) as login:
        login.open()
        ended = login.run('[ -t 0 ] && echo terminal; echo "agent=$SSH_AUTH_SOCK"\n', WAIT)
        assert (ended.code, ended.stdout) == (0, "agent=\n"), ended
        assert login.alive()
    assert not (tmp_path / "pwned").exists()


def test_ssh_asks_although_the_configuration_forbids_it(node, private, told, tmp_path):
    key, asked = tmp_path / "locked", tmp_path / "askpass"
    shutil.copy(node.place / "key", key)
    lock = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "let me in", "-f", str(key)]
    subprocess.run(lock, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    asked.write_text("#!/bin/sh\necho let me in\n")
    asked.chmod(0o700)
    config = node.config(above=f"Host dev1\n    BatchMode yes\n    IdentityFile {key}\n")
    config.write_text(config.read_text().replace(f"IdentityFile {node.place}/key\n", "\n"))
    environment = {**os.environ, "SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force"}
    environment.pop("SSH_AUTH_SOCK", None)
    login = Session(["-F", str(config), "dev1"], private / "way0", environment, told.append)
    try:
        login.open()
        assert login.run("echo here\n", WAIT).stdout == "here\n"
    finally:
        login.close()


@pytest.mark.parametrize("call", ["exec ssh", "ssh", "env LC_ALL=C ssh"])
def test_a_script_of_the_person_may_stand_for_ssh(call, node, private, told, tmp_path):
    script = tmp_path / "hpc-ssh"
    script.write_text(f'#!/bin/sh\n{call} -F {node.config()} "$@"\n')
    script.chmod(0o700)
    login = Session(["dev1"], private / "way0", dict(os.environ), told.append, program=str(script))
    try:
        login.open()
        assert login.run("echo here\n", WAIT).stdout == "here\n"
    finally:
        login.close()
    left = subprocess.run(["pgrep", "-f", f"ssh .*{private}/way0"], check=False, text=True,
                          capture_output=True)  # fmt: skip
    assert left.stdout == "", "ssh itself ends with its script"


def test_what_a_server_prints_is_told_and_is_no_word_of_ssh(node, private, told):
    with session(node.config(), private, told) as login:
        login.open()
        assert "evil" not in login.log
    assert BANNER.splitlines()[0] in told


@pytest.mark.parametrize("over", ["gw", "gw,gw2"])
def test_the_fault_of_the_farthest_machine_is_found_between_banners(over, node, private, told):
    config = node.config(hosts="gw gw2")
    with session(config, private, told, "-J", over, "nowhere.invalid") as login:
        with pytest.raises(NotConnected) as refused:
            login.open()
        fault = diagnose(str(refused.value))
    assert (fault.where, fault.what.partition(":")[0]) == (
        "the gateway",
        "it cannot reach the node",
    )
    assert told.count(BANNER.splitlines()[0]) == 1 + over.count(",")


def test_a_configuration_that_ssh_cannot_read_is_said_and_nobody_is_asked(node, private, told):
    config = node.config(above="ForwardAgnet yes")
    with session(config, private, told) as login, pytest.raises(NotConnected) as refused:
        login.open()
    assert "Bad configuration option: forwardagnet" in diagnose(str(refused.value)).what
    assert told == []


def test_a_lost_login_is_not_replaced_by_a_connection_to_anywhere(node, private, told):
    with session(node.config(hosts="node dev1"), private, told) as login:
        login.open()
        os.kill(login._master.pid, signal.SIGKILL)
        login._master.wait()
        assert login.run("echo here\n", WAIT).code != 0
        assert not login.alive()


@contextmanager
def logged_in(config, *words):
    """A login that the person has opened, as docs/login.md says."""
    login = ["ssh", "-F", str(config), *words, "dev1"]
    share = [login[0], "-M", "-N", "-f", *login[1:]]
    subprocess.run(share, check=True, stderr=subprocess.DEVNULL, timeout=30)
    try:
        yield (
            lambda command: (
                subprocess.run(
                    [login[0], "-O", command, *login[1:]],
                    check=False,
                    capture_output=True,
                    timeout=30,
                ).returncode
            )
        )
    finally:
        subprocess.run(
            [login[0], "-O", "exit", *login[1:]], check=False, capture_output=True, timeout=30
        )


def test_a_login_of_the_person_is_used_and_left_as_it_was(node, private, told, tmp_path, free_port):
    with taken() as port:
        share = f"    ControlPath {tmp_path}/%r@%h:%p%%\n    LocalForward {port} localhost:9\n"
        config = node.config(inside=share)
        with logged_in(config, "-o", "ClearAllForwardings=yes") as control:
            with session(config, private, told) as login:
                login.open()
                assert login.shared
                assert login.run("echo here\n", WAIT).stdout == "here\n"
                assert forwarding.ports(login, node.port, WAIT).answer == "yes"
                assert forwarding.sockets(login, ["python3"], WAIT).answer == "yes"
                assert login.forward(f"127.0.0.1:{free_port}", "127.0.0.1:9").code == 0
            with socket.socket() as trial:
                assert trial.connect_ex(("127.0.0.1", free_port)) != 0, "nothing is left in it"
            assert control("check") == 0, "and it stands"


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's socket takes root to make")
def test_a_socket_of_another_user_is_not_taken_for_a_login_of_the_person(
    node, private, told, tmp_path
):
    config = node.config(inside=f"    ControlPath {tmp_path}/shared\n")
    with logged_in(config):
        os.chown(tmp_path / "shared", 65534, 65534)
        with session(config, private, told) as login:
            login.open()
            assert not login.shared
        assert any("belongs to another user: it is not used" in line for line in told)
        os.chown(tmp_path / "shared", 0, 0)


MISSES = """
import signal, time
missed = iter(range({signals}))
signal.signal(signal.SIGTERM, lambda *_: next(missed, None) is None and exit())
print("ready", flush=True)
while True:
    time.sleep(60)
"""


@pytest.mark.parametrize(("signals", "within"), [(0, 0.4), (1, 3), (9, 20)])
def test_an_ssh_that_misses_signals_is_ended_all_the_same(signals, within):
    program = [sys.executable, "-c", MISSES.format(signals=signals)]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as client:
        assert client.stdout.readline()
        began = time.monotonic()
        end(client)
        assert client.returncode is not None
        assert time.monotonic() - began < within

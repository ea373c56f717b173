"""The printed tunnel leads where Ansible went, and no value in it becomes anything else."""

import os
import shlex
import shutil
import subprocess

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpcc.notebook.plugins.filter.tunnel_command import FilterModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import host_of
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.tunnel import (
    gateway_port,
    tunnel_command,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._filters.announcement import (
    announcement,
)
from hypothesis import given
from hypothesis import strategies as st

SOCKET = "/tmp/nbserver-1000/notebook.sock"
MIDDLE = "/home/alice/.ipython/profile_nbserver/run/dev-intel10.sock"
SERVER = {
    "host": "dev-intel10",
    "user": "alice",
    "state": "started",
    "changed": True,
    "session": "nbserver",
    "version": "JupyterLab 4.6.6",
    "transport": "socket",
    "socket": SOCKET,
    "gateway_socket": MIDDLE,
    "certificate_sha256": "3F:A2:90",
}
DEV = {
    "inventory_hostname": "dev-intel10",
    "ansible_user": "alice",
    "ansible_ssh_common_args": "-J alice@hpcc.msu.edu",
}
DIRECT = {"inventory_hostname": "dev-intel10", "ansible_user": "alice"}
LOCAL = {"inventory_hostname": "localhost", "ansible_connection": "local"}
GATEWAY = {"inventory_hostname": "hpcc.msu.edu", "ansible_user": "alice"}
SAFELY = "-a -o ExitOnForwardFailure=yes"
ONLY_A_COMMAND = "-a -T -o ClearAllForwardings=yes -o RemoteCommand=none"
FORWARD = f"-L 127.0.0.1:8888:{SOCKET}"


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path_factory, monkeypatch):
    """What the person at this machine has configured for ssh is no matter here."""
    place = tmp_path_factory.mktemp("ssh")
    (place / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F none "$@"\n')
    (place / "ssh").chmod(0o700)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")


def tail(command):
    """The part of a command that differs from place to place."""
    assert command.startswith(f"ssh -N {SAFELY} ")
    return command[len(f"ssh -N {SAFELY} ") :]


def ssh_understands(command, *more):
    """What OpenSSH itself makes of a command line, as keyword → values."""
    words = shlex.split(command)
    argv = [words[0], "-G", "-F", "/dev/null", *more, *words[1:]]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10).stdout
    found = {}
    for line in said.splitlines():
        keyword, value = line.split(" ", 1) if " " in line else (line, "")
        found.setdefault(keyword, []).append(value)
    return found


@pytest.mark.parametrize(
    ("dev", "gateway", "expected"),
    [
        pytest.param(DEV, GATEWAY, f"-J alice@hpcc.msu.edu {FORWARD} alice@dev-intel10", id="-J"),
        pytest.param(
            DEV, None, f"-J alice@hpcc.msu.edu {FORWARD} alice@dev-intel10", id="no group"
        ),
        pytest.param(
            DIRECT, GATEWAY, f"-J alice@hpcc.msu.edu {FORWARD} alice@dev-intel10", id="from gateway"
        ),
        pytest.param(DIRECT, None, f"{FORWARD} alice@dev-intel10", id="no gateway"),
        pytest.param(
            LOCAL, GATEWAY, f"-J alice@hpcc.msu.edu {FORWARD} alice@dev-intel10", id="on the node"
        ),
        pytest.param(
            LOCAL,
            {"inventory_hostname": "gw", "ansible_host": "dev-intel10.msu.edu"},
            f"{FORWARD} alice@dev-intel10.msu.edu",
            id="on the gateway itself",
        ),
        pytest.param(
            GATEWAY, GATEWAY, f"{FORWARD} alice@hpcc.msu.edu", id="the gateway is a dev node"
        ),
        pytest.param(
            {**DIRECT, "ansible_host": "10.0.0.7", "ansible_port": 2222, "ansible_user": "bob"},
            None,
            f"-p 2222 {FORWARD} bob@10.0.0.7",
            id="host, port and user",
        ),
        pytest.param(
            {**DIRECT, "ansible_ssh_private_key_file": "~/my keys/id"},
            None,
            f"-i '~/my keys/id' {FORWARD} alice@dev-intel10",
            id="key",
        ),
        pytest.param(
            {**DIRECT, "ansible_user": "alice@realm"},
            {"inventory_hostname": "gw", "ansible_user": "al@ad.example.org"},
            f"-J al@ad.example.org@gw {FORWARD} alice@realm@dev-intel10",
            id="login names with a realm",
        ),
        pytest.param(
            {**DIRECT, "inventory_hostname": "jump+dev1"},
            None,
            f"{FORWARD} alice@jump+dev1",
            id="an alias",
        ),
        pytest.param(
            {
                **DIRECT,
                "ansible_ssh_args": "-F a -o ControlMaster=auto -o ControlPersist=60s "
                "-o ControlPath=/tmp/ansible -S /tmp/ansible",
                "ansible_ssh_common_args": "-o ControlMaster=auto -oControlPath=~/.ssh/%C",
            },
            GATEWAY,
            f"-F a -o 'ControlPath=~/.ssh/%C' {FORWARD} alice@dev-intel10",
            id="of shared logins only the person's own",
        ),
        pytest.param(
            DIRECT,
            {"inventory_hostname": "::1", "ansible_port": 22, "ansible_user": "al"},
            f"-J 'al@[::1]:22' {FORWARD} alice@dev-intel10",
            id="IPv6 gateway with a port",
        ),
        pytest.param(
            DIRECT,
            {"inventory_hostname": "gw.example.org", "ansible_port": "2222"},
            f"-J alice@gw.example.org:2222 {FORWARD} alice@dev-intel10",
            id="gateway with a port, user of the node",
        ),
        pytest.param(
            {**DIRECT, "ansible_ssh_common_args": "-F ~/cluster.conf"},
            GATEWAY,
            f"-F '~/cluster.conf' {FORWARD} alice@dev-intel10",
            id="a configuration file knows the way",
        ),
        pytest.param(
            {**DIRECT, "ansible_ssh_common_args": "-o ProxyCommand='ssh -W %h:%p \"a b\"'"},
            GATEWAY,
            f"-o 'ProxyCommand=ssh -W %h:%p \"a b\"' {FORWARD} alice@dev-intel10",
            id="so does a proxy command",
        ),
        pytest.param(
            {
                **DEV,
                "ansible_ssh_extra_args": "-A -oForwardAgent=yes -o BatchMode=yes -tt -L 1:a:2 "
                "-o ClearAllForwardings=yes -o 'LocalForward 1 a:2' -oServerAliveInterval=30",
            },
            GATEWAY,
            f"-J alice@hpcc.msu.edu -o ServerAliveInterval=30 {FORWARD} alice@dev-intel10",
            id="what has no place in a tunnel is left out",
        ),
    ],
)
def test_the_tunnel_goes_the_way_that_ansible_goes(dev, gateway, expected):
    assert tail(tunnel_command(SERVER, dev, gateway)) == expected


def test_over_tcp_the_port_of_the_node_is_forwarded():
    server = {**SERVER, "transport": "tcp", "port": 9001, "socket": None}
    command = tunnel_command(server, DIRECT, None, local_port=9000)
    assert tail(command) == "-L 127.0.0.1:9000:127.0.0.1:9001 alice@dev-intel10"


def test_ssh_understands_the_command_as_it_is_meant():
    said = ssh_understands(tunnel_command(SERVER, DEV, GATEWAY))
    assert said["user"] == ["alice"]
    assert said["hostname"] == ["dev-intel10"]
    assert said["proxyjump"] == ["alice@hpcc.msu.edu"]
    assert said["exitonforwardfailure"] == ["yes"]
    assert said["forwardagent"] == ["no"]
    assert said["sessiontype"] == ["none"]
    assert said["localforward"] == [f"[127.0.0.1]:8888 {SOCKET}"]


def test_ssh_takes_a_realm_for_a_part_of_the_login_name():
    dev = {**DIRECT, "ansible_user": "alice@realm"}
    gateway = {**GATEWAY, "ansible_user": "al@ad.example.org"}
    said = ssh_understands(tunnel_command(SERVER, dev, gateway))
    assert (said["user"], said["hostname"]) == (["alice@realm"], ["dev-intel10"])
    assert said["proxyjump"] == ["al@ad.example.org@hpcc.msu.edu"]


@pytest.mark.threat(16)
def test_an_agent_is_not_forwarded_even_when_the_person_always_does(tmp_path):
    always = tmp_path / "config"
    always.write_text("ForwardAgent yes\n")
    command = tunnel_command(SERVER, DEV, GATEWAY)
    assert ssh_understands(command, "-F", str(always))["forwardagent"] == ["no"]


@pytest.mark.parametrize("dev", [DEV, DIRECT, LOCAL])
def test_the_two_hop_form_is_two_commands_that_ssh_understands(dev):
    command = tunnel_command(SERVER, dev, GATEWAY, form="two_hop")
    words = shlex.split(command)
    assert words[:2] == ["ssh", "-t"]
    outer, inner = ssh_understands(shlex.join(words[:-1])), ssh_understands(words[-1])
    assert (outer["user"], outer["hostname"]) == (["alice"], ["hpcc.msu.edu"])
    assert "proxyjump" not in outer
    assert outer["localforward"] == [f"[127.0.0.1]:8888 {MIDDLE}"]
    assert (inner["user"], inner["hostname"]) == (["alice"], ["dev-intel10"])
    assert inner["localforward"] == [f"{MIDDLE} {SOCKET}"]
    assert inner["streamlocalbindunlink"] == ["yes"], "one that was left does not stand in the way"
    for hop in (outer, inner):
        assert hop["exitonforwardfailure"] == ["yes"]
        assert hop["forwardagent"] == ["no"]


@pytest.mark.parametrize(
    "changed",
    [
        {"transport": "tcp", "port": 9000},
        {"gateway_socket": "/home/a b/dev.sock"},
        {"gateway_socket": "/home/" + "a" * 110},
        {"gateway_socket": "relative"},
        {"gateway_socket": "/home/$(id)"},
    ],
)
def test_the_halves_of_the_two_hop_form_meet_on_a_port_only_where_a_socket_cannot_be(changed):
    server = {**SERVER, **changed}
    port = gateway_port(server)
    words = shlex.split(tunnel_command(server, DEV, GATEWAY, form="two_hop"))
    outer, inner = ssh_understands(shlex.join(words[:-1])), ssh_understands(words[-1])
    assert outer["localforward"] == [f"[127.0.0.1]:8888 [127.0.0.1]:{port}"]
    assert inner["localforward"][0].startswith(f"[127.0.0.1]:{port} ")
    lines = announcement(server, DEV, GATEWAY, form="two_hop")
    assert f"its port {port} before you do" in lines[4]


def test_the_two_hop_form_takes_the_gateway_from_the_jump_when_no_group_names_it():
    dev = {**DEV, "ansible_ssh_common_args": "-J bob@[::1]:2200,x -o Compression=yes"}
    words = shlex.split(tunnel_command(SERVER, dev, None, form="two_hop"))
    outer = ssh_understands(shlex.join(words[:-1]))
    assert (outer["user"], outer["hostname"], outer["port"]) == (["bob"], ["::1"], ["2200"])
    assert outer["compression"] == ["yes"]
    assert "Compression" not in words[-1], "options of this computer mean nothing on the gateway"


@pytest.mark.parametrize("form", ["two_hop", "relay"])
def test_a_form_that_needs_a_gateway_says_so_where_there_is_none(form):
    with pytest.raises(NotebookError, match=f"{form} needs a host in the group hpcc_gateway"):
        tunnel_command(SERVER, DIRECT, None, form=form)


@pytest.mark.parametrize("dev", [DEV, DIRECT, LOCAL])
def test_the_relay_form_logs_in_on_the_gateway_instead_of_jumping(dev):
    said = ssh_understands(tunnel_command(SERVER, dev, GATEWAY, form="relay"))
    assert said["proxycommand"] == [f"ssh {ONLY_A_COMMAND} alice@hpcc.msu.edu nc %h %p"]
    assert "proxyjump" not in said
    assert said["hostname"] == ["dev-intel10"]
    assert said["localforward"] == [f"[127.0.0.1]:8888 {SOCKET}"]


def test_the_relay_form_uses_the_options_of_this_computer_on_both_logins():
    key = {**DEV, "ansible_ssh_common_args": "-J bob@gw:2200 -o UserKnownHostsFile=~/%k"}
    words = shlex.split(tunnel_command(SERVER, key, None, form="relay"))
    relay = next(word for word in words if word.startswith("ProxyCommand="))
    login = "-o 'UserKnownHostsFile=~/%%k' -p 2200 bob@gw"
    assert relay == f"ProxyCommand=ssh {ONLY_A_COMMAND} {login} nc %h %p"
    assert "UserKnownHostsFile=~/%k" in words


@pytest.mark.parametrize("server", [SERVER, {**SERVER, "user": "bob"}, {**SERVER, "host": "x"}])
def test_the_port_on_the_gateway_is_stable_and_not_one_that_the_kernel_hands_out(server):
    assert gateway_port(server) == gateway_port(dict(server))
    assert 20000 <= gateway_port(server) < 32768


def test_two_people_do_not_meet_on_one_port_of_the_gateway():
    assert gateway_port(SERVER) != gateway_port({**SERVER, "user": "bob"})


@pytest.mark.threat(25)
@pytest.mark.parametrize(
    ("dev", "gateway", "name"),
    [
        ({"ansible_host": "-oProxyCommand=touch pwn"}, {}, "ansible_host"),
        ({"ansible_host": "%h%p"}, {}, "ansible_host"),
        ({"ansible_host": "a b"}, {}, "ansible_host"),
        ({"ansible_host": "bücher.example"}, {}, "ansible_host"),
        ({"ansible_host": "a" * 254}, {}, "ansible_host"),
        ({"ansible_user": "u;id"}, {}, "ansible_user"),
        ({"ansible_user": "-l"}, {}, "ansible_user"),
        ({"ansible_user": "u\n"}, {}, "ansible_user"),
        ({"ansible_port": "22 -oProxyCommand=x"}, {}, "ansible_port"),
        ({"ansible_port": 65536}, {}, "ansible_port"),
        ({"ansible_ssh_private_key_file": "-oProxyCommand=x"}, {}, "private key"),
        ({"ansible_ssh_private_key_file": "/a\nb"}, {}, "private key"),
        ({"ansible_ssh_common_args": "-J 'user@gw@x'"}, {}, "ansible_ssh_common_args"),
        ({"ansible_ssh_common_args": "-J gw:abc"}, {}, "ansible_ssh_common_args"),
        ({"ansible_ssh_common_args": "-J ok,-oProxyCommand=x"}, {}, "ansible_ssh_common_args"),
        ({"ansible_ssh_common_args": "evil.example"}, {}, "ansible_ssh_common_args"),
        ({"ansible_ssh_common_args": "-- evil.example"}, {}, "ansible_ssh_common_args"),
        ({"ansible_ssh_common_args": "-J"}, {}, "ansible_ssh_common_args"),
        ({"ansible_ssh_common_args": "-J 'half"}, {}, "ansible_ssh_common_args"),
        ({"ansible_ssh_common_args": "-o 'a=b\nid'"}, {}, "the tunnel's command"),
        ({}, {"ansible_host": "gw:0"}, "ansible_host"),
        ({}, {"ansible_host": "-oProxyCommand=x"}, "ansible_host"),
        ({}, {"ansible_user": "$(id)"}, "ansible_user"),
    ],
)
def test_a_value_that_ssh_or_a_shell_would_read_as_more_is_refused(dev, gateway, name):
    with pytest.raises(NotebookError, match=f"^{name}: "):
        tunnel_command(SERVER, {**DIRECT, **dev}, {**GATEWAY, **gateway})


@pytest.mark.parametrize("port", ["8888:evil:80", 0, 65536, "8_888", True, None, "8888 "])
def test_a_local_port_that_is_none_is_refused(port):
    with pytest.raises(NotebookError, match=r"^nbserver_local_port: "):
        tunnel_command(SERVER, DEV, GATEWAY, local_port=port)


@pytest.mark.parametrize(
    "answer",
    [
        {"socket": "/tmp/x.sock:evil:80"},
        {"socket": "relative"},
        {"socket": "/tmp/$(id)"},
        {"socket": "/tmp/a b"},
        {"transport": "tcp", "port": "1:evil:2"},
    ],
)
def test_an_answer_of_a_hostile_node_does_not_end_up_in_the_command(answer):
    with pytest.raises(NotebookError):
        tunnel_command({**SERVER, **answer}, DEV, GATEWAY)


def test_the_name_that_a_hostile_node_gives_itself_is_checked_too():
    with pytest.raises(NotebookError, match=r"^host: "):
        tunnel_command({**SERVER, "host": "-oProxyCommand=x"}, LOCAL, GATEWAY)


TEXT = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="-oJLp ='\"$`;\\\n%@:[]/ab1", max_size=30),
    st.sampled_from(
        ["-oProxyCommand=id", "a -L 1:b:2", "x'; id; '", "~/k", "[::1]:22", "h.example"]
    ),
)


@given(
    dev=st.fixed_dictionaries(
        {"inventory_hostname": st.just("dev")},
        optional={
            "ansible_host": TEXT,
            "ansible_user": TEXT,
            "ansible_port": TEXT,
            "ansible_ssh_private_key_file": TEXT,
            "ansible_ssh_common_args": TEXT,
        },
    ),
    gateway=st.fixed_dictionaries(
        {"inventory_hostname": st.just("gw")}, optional={"ansible_host": TEXT, "ansible_user": TEXT}
    ),
    socket=st.one_of(st.just(SOCKET), TEXT),
    form=st.sampled_from(["jump", "two_hop", "relay"]),
)
def test_no_value_becomes_another_argument_or_option(dev, gateway, socket, form):
    try:
        command = tunnel_command({**SERVER, "socket": socket}, dev, gateway, form=form)
    except NotebookError:
        return
    assert "\n" not in command
    one_line = subprocess.run(
        ["sh", "-c", f'printf "%s\\0" {command}'], capture_output=True, check=True, timeout=10
    ).stdout.decode()
    words = one_line.split("\0")[:-1]
    assert words == shlex.split(command)
    option, forward, destination = words[-3:] if words[1] == "-N" else words[-4:-1]
    assert option == "-L"
    assert forward.startswith("127.0.0.1:8888:")
    assert not destination.startswith("-")


def test_the_announcement_reads_like_the_one_of_the_documentation():
    assert announcement(SERVER, DEV, GATEWAY) == [
        'Notebook server on dev-intel10 is running (tmux session "nbserver", JupyterLab 4.6.6).',
        "On your own computer:",
        f"    ssh -N {SAFELY} -J alice@hpcc.msu.edu {FORWARD} alice@dev-intel10",
        "then open https://127.0.0.1:8888   (certificate SHA-256 3F:A2:90)",
    ]


def test_the_two_hop_form_needs_no_warning_over_a_socket():
    lines = announcement(SERVER, DEV, GATEWAY, form="two_hop", local_port=9000)
    assert lines[3].startswith("then open https://127.0.0.1:9000 ")
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("result", "check", "said"),
    [
        ({"changed": True}, True, "would be started (tmux session"),
        ({"changed": False}, True, "is running (tmux session"),
        ({"changed": True}, False, "is running (tmux session"),
        ({"state": "stopped", "changed": True}, True, "would be stopped."),
        ({"state": "stopped", "changed": False}, False, "was not running."),
        (
            {"state": "stopped", "changed": True},
            False,
            "was not running, and what it had left was removed.",
        ),
        (
            {"state": "stopped", "changed": True, "stopped_by": "it shut down cleanly"},
            False,
            "was stopped: it shut down cleanly.",
        ),
        (
            {"state": "stopped", "changed": True, "stopped_by": "x", "kernels_ended": 1},
            False,
            "was stopped: x (1 kernel ended with it).",
        ),
        (
            {"state": "elsewhere", "changed": False, "reason": "a server is recorded on dev2"},
            False,
            "A server is recorded on dev2 (-e nbserver_second=true starts one).",
        ),
    ],
)
def test_the_first_line_says_what_happened(result, check, said):
    assert said in announcement({**SERVER, **result}, DEV, GATEWAY, check=check)[0]


def test_a_server_on_a_host_of_another_inventory_has_no_command_to_show():
    result = {"state": "elsewhere", "changed": False, "reason": "a server is recorded on dev9"}
    lines = announcement({**SERVER, **result}, {}, GATEWAY)
    assert lines[1:] == [
        "That host is not in this inventory: put it there to see how it is reached."
    ]


HOSTS = {
    "nb": {"inventory_hostname": "nb", "ansible_host": "dev-intel14.hpcc.msu.edu"},
    "dev-intel10": DIRECT,
    "by-number": {"inventory_hostname": "by-number", "ansible_host": "10.0.0.7"},
}


@pytest.mark.parametrize(
    ("state", "host", "name"),
    [
        ("started", "whatever-it-calls-itself", "by-number"),
        ("elsewhere", "dev-intel10", "dev-intel10"),
        ("elsewhere", "dev-intel14", "nb"),
        ("elsewhere", "dev-amd20", None),
        ("elsewhere", "10", None),
    ],
)
def test_a_node_is_found_in_the_inventory_by_what_it_calls_itself(state, host, name):
    found = host_of(HOSTS, {"state": state, "host": host}, "by-number")
    assert found == (HOSTS[name] if name else {})


def test_what_a_hostile_node_says_does_nothing_to_the_terminal():
    lines = announcement({**SERVER, "version": "x\x1b]0;y\x07\n"}, DEV, GATEWAY)
    assert "JupyterLab" not in lines[0]
    assert "x?]0;y? " in lines[0]


def test_a_refusal_reaches_the_person_as_one_line_of_the_filter():
    filters = FilterModule().filters()
    with pytest.raises(AnsibleFilterError, match=r"^nbserver_local_port: must be"):
        filters["tunnel_command"](SERVER, DEV, GATEWAY, local_port=0)
    with pytest.raises(AnsibleFilterError, match=r"^nbserver_tunnel: must be"):
        filters["tunnel_command"](SERVER, DEV, GATEWAY, form="three_hop")

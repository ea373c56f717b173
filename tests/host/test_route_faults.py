"""What ssh says becomes one line that names the machine, the reason and the next step."""

import subprocess

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.faults import (
    diagnose,
    forbidden,
    silent,
)

# What OpenSSH 9.2 printed in each of these cases.
JUMPED = "Warning: Permanently added 'gw' (ED25519) to the list of known hosts.\n"
CUT = "kex_exchange_identification: Connection closed by remote host\n"
UNKNOWN = """\
The authenticity of host 'dev1 (<no hostip for proxy command>)' can't be established.
ED25519 key fingerprint is SHA256:p7JjT1w2aPPP.
This key is not known by any other names.
Are you sure you want to continue connecting (yes/no/[fingerprint])? """
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
The fingerprint for the ED25519 key sent by the remote host is
SHA256:p7JjT1w2aPPP.
Please contact your system administrator.
Add correct host key in /home/a b/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/a b/.ssh/known_hosts:3
Host key for dev1 has changed and you have requested strict checking.
Host key verification failed.
"""
CASES = {
    "the gateway does not allow ProxyJump": (
        f"{JUMPED}channel 0: open failed: administratively prohibited: open failed\n"
        f"stdio forwarding failed\n{CUT}",
        ("the gateway", "does not allow ProxyJump", "nbserver_tunnel=relay"),
        False,
    ),
    "the gateway does not know the node": (
        f"{JUMPED}channel 0: open failed: connect failed: Name or service not known\n"
        f"stdio forwarding failed\n{CUT}",
        ("the gateway", "cannot reach the node: Name or service not known", "ansible_host"),
        True,
    ),
    "the node is down": (
        f"{JUMPED}channel 0: open failed: connect failed: Connection refused\n"
        f"stdio forwarding failed\n{CUT}",
        ("the gateway", "cannot reach the node: Connection refused", "is up"),
        True,
    ),
    "the host key has changed": (
        CHANGED,
        ("dev1", "changed, to ED25519 SHA256:p7JjT1w2aPPP:", "ssh-keygen -R dev1 -f"),
        False,
    ),
    "the host key is unknown to a strict ssh": (
        "No ED25519 host key is known for dev1 and you have requested strict checking.\n"
        "Host key verification failed.\n",
        ("dev1", "not known to this computer.", "answer yes"),
        False,
    ),
    "the key is refused": (
        "nobodyx@dev1: Permission denied (publickey,hostbased).\n",
        ("nobodyx@dev1", "refused (publickey,hostbased)", "ssh-add -l"),
        False,
    ),
    "a code is wanted": (
        "alice@gw: Permission denied (publickey,keyboard-interactive).\n",
        ("alice@gw", "refused", "docs/login.md"),
        False,
    ),
    "the name is misspelt": (
        "ssh: Could not resolve hostname hpc.msu.edu: Name or service not known\n",
        ("hpc.msu.edu", "cannot be resolved", "spelt"),
        True,
    ),
    "nobody listens": (
        "ssh: connect to host 127.0.0.1 port 4: Connection refused\n",
        ("127.0.0.1", "port 4 cannot be reached: Connection refused", "VPN"),
        True,
    ),
    "the network was lost": (
        "Timeout, server dev1 not responding.\n",
        ("ssh", "cut: Timeout, server dev1 not responding", "again"),
        True,
    ),
    "the sshd hangs up": (CUT, ("ssh", "cut: kex_exchange_identification", "again"), True),
    "the socket of the shared login is too long": (
        'unix_listener: path "/very/long.XXXX" too long for Unix domain socket\n',
        ("ControlPath", "too long", "~/.ssh/%C"),
        False,
    ),
    "the configuration is wrong": (
        "/home/a/.ssh/config: line 3: Bad configuration option: fowardagent\n"
        "/home/a/.ssh/config: terminating, 1 bad configuration options\n",
        ("ssh", "Bad configuration option: fowardagent", "Correct"),
        False,
    ),
    "ssh says something else": (
        "PTY allocation request failed\n",
        ("ssh", "PTY allocation request failed", "by hand"),
        True,
    ),
    "ssh says nothing": ("\n", ("ssh", "does not say why", "by hand"), True),
}


@pytest.mark.parametrize(("log", "said", "passing"), CASES.values(), ids=CASES)
def test_each_fault_is_one_line_with_place_reason_and_next_step(log, said, passing):
    fault = diagnose(log)
    line = str(fault.error())
    assert "\n" not in line
    place, reason, todo = said
    assert line.startswith(f"{place}: ")
    assert reason in line
    assert todo in line.partition(reason)[2]
    assert fault.passing is passing, "what passes by itself is tried again, nothing else is"


@pytest.mark.parametrize("log", [log for log, _said, _passing in CASES.values()], ids=CASES)
def test_lines_that_end_as_on_a_terminal_are_read_the_same(log):
    assert diagnose(log.replace("\n", "\r\n")) == diagnose(log)


def test_a_key_that_was_asked_about_is_named_with_its_fingerprint():
    line = str(diagnose("Host key verification failed.\n", [UNKNOWN]).error())
    assert line.startswith("dev1: its host key is not known")
    assert "ED25519 SHA256:p7JjT1w2aPPP." in line


@pytest.mark.parametrize(("transport", "other"), [("socket", "tcp"), ("tcp", "socket")])
def test_what_the_node_forbids_is_avoided_by_the_other_transport(transport, other):
    fault = forbidden("dev1", transport, other_way=True)
    assert fault.form == other
    assert f"nbserver_transport={other}" in fault.todo


def test_a_node_that_forbids_everything_is_not_argued_with():
    fault = forbidden("dev1", "socket", other_way=False)
    assert "every forwarding" in fault.what
    assert fault.form == ""


# What a server may have ssh write, and what it would be taken for. In a banner it is no line of the
# log at all (test_ssh_session.py); here, a server's text comes within a line of ssh, or after one.
FORGED = [
    "Received disconnect from 1.2.3.4 port 22:2: bye\n{}",
    "Received disconnect from 1.2.3.4 port 22:2: {}",
    "channel 0: open failed: connect failed: no\r\n{}",
    "debug1: Remote: hello\n{}",
    "kex_exchange_identification: banner line contains: {}",
]
SENTENCES = [
    "Host key for evil has changed and you have requested strict checking.",
    "No ED25519 host key is known for evil and you have requested strict checking.",
    "ssh: Could not resolve hostname evil: Name or service not known",
    "a@evil: Permission denied (publickey).",
    "/etc/evil: line 3: Bad configuration option: evil",
    "Bad owner or permissions on /etc/evil",
]


@pytest.mark.parametrize("around", FORGED)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_a_server_says_is_never_taken_for_the_words_of_ssh(around, sentence):
    fault = diagnose(around.format(sentence))
    assert fault.where == "ssh", "nothing is said about a machine that a server made up"
    assert diagnose(sentence) != fault, "it would be, if ssh said so itself"
    assert "ssh-keygen" not in fault.todo


def test_a_question_of_a_server_is_no_question_of_ssh():
    asked = f"(alice@gw) {UNKNOWN}"
    assert diagnose("x", [asked]) == diagnose("x")


@pytest.mark.parametrize("host", ["$(id>pwned)", "`id`", "x;id", "[127.0.0.1]:2222", "a'b"])
@pytest.mark.parametrize("file", ["/home/a b/known_hosts", "/x/$(id)", "/x/`id`'"])
def test_the_command_to_type_is_made_of_words_that_the_shell_leaves_alone(host, file, tmp_path):
    program = tmp_path / "ssh-keygen"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    program.chmod(0o700)
    log = CHANGED.replace("/home/a b/.ssh/known_hosts:3", f"{file}:3").replace(
        "for dev1", f"for {host}"
    )
    typed = diagnose(log).todo.partition("this one: ")[2]
    said = subprocess.run(
        ["/bin/sh", "-c", typed], env={"PATH": str(tmp_path)}, cwd=tmp_path, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert said.stdout.splitlines() == ["-R", host, "-f", file]
    assert not (tmp_path / "pwned").exists()


def test_nothing_of_another_host_commands_the_terminal():
    log = "ssh: Could not resolve hostname x: \x1b]0;pwned\x07\x1b[2J\n"
    assert str(diagnose(log).error()).isprintable()


def test_a_job_that_is_silent_may_be_suspended_and_is_not_to_be_ended_for_that():
    server = {"host": "c1", "job": "5"}
    assert silent(server, "timed out").todo == (
        "Ask whether its job is suspended: ansible-playbook hpcc.notebook.status"
    )
    assert silent({"host": "dev1"}, "timed out").todo.startswith("Restart it: ")

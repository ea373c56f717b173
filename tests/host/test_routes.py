"""Whatever makes Ansible reach the node makes the printed tunnel reach it."""

import getpass
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import printed_tunnel
from greeting import greeting, leads, opens
from own_sshd import sshd

CHECKOUT = Path(__file__).parents[2]
SERVER = {
    "host": "dev1",
    "user": getpass.getuser(),
    "state": "started",
    "session": "nbserver",
    "version": "JupyterLab 4.6.6",
    "transport": "socket",
    "certificate_sha256": "3F:A2:90",
}
TELL = "{{ server | hpcc.notebook.announcement(hostvars[inventory_hostname], {}, here) }}"
TASKS = [
    {"ansible.builtin.raw": "echo reached", "register": "raw", "changed_when": False},
    {"hpcc.notebook.announce": {"lines": ["{{ raw.stdout_lines | last }}"]}},
    {"hpcc.notebook.announce": {"lines": TELL}},
]
CHECK = [{"hpcc.notebook.check_variables": {"tunnel": {"gateway": "", "form": "{{ form }}"}}}]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


def play(
    place,
    *words,
    variables=None,
    env=None,
    cfg="",
    port=8888,
    host="dev1",
    tasks=None,
    keywords=None,
):
    """Run the play as a person does, in a directory of its own; what it prints."""
    run = {"hosts": "all", "gather_facts": False, "tasks": tasks or TASKS, **(keywords or {})}
    (place / "play.json").write_text(json.dumps([run]))
    (place / "home").mkdir(exist_ok=True)
    server = {**SERVER, "socket": f"{place}/notebook.sock"}
    given = {"server": server, "here": port, "ansible_python_interpreter": sys.executable}
    (place / "given.json").write_text(json.dumps(given))
    inventory = {"all": {"hosts": {host: variables or {}}}}
    (place / "inventory.json").write_text(json.dumps(inventory))
    (place / "ansible.cfg").write_text(cfg)
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.json",
         "-e@given.json", *words, "play.json"],
        cwd=place, capture_output=True, text=True, check=False, timeout=100,
        env={
            "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(place / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
            "ANSIBLE_NOCOLOR": "1", "ANSIBLE_SSH_CONTROL_PATH_DIR": str(place / "cp"),
            **(env or {}),
        },
    )  # fmt: skip
    for master in (place / "cp").glob("*"):
        subprocess.run(["ssh", "-S", str(master), "-O", "exit", "x"], check=False,
                       capture_output=True)  # fmt: skip
    return done.stdout + done.stderr


def command(printed):
    (found,) = [line for line in printed.splitlines() if re.match(r"    \S*ssh -N ", line)]
    return shlex.split(found)


WAYS = {
    "ansible.cfg": {"cfg": "[ssh_connection]\nssh_args = -F ssh.cfg -o ControlMaster=auto\n"},
    "ansible.cfg with Ansible's own shared login": {
        "cfg": "[ssh_connection]\nssh_args = -F ./ssh.cfg -o ControlMaster=auto "
        "-o ControlPersist=60s -o ControlPath={place}/m\n"
    },
    "ansible.cfg, common arguments": {"cfg": "[ssh_connection]\nssh_common_args = -Fssh.cfg\n"},
    "ansible_ssh_args": {"variables": {"ansible_ssh_args": "-F ssh.cfg"}},
    "--ssh-common-args": {"words": ["--ssh-common-args=-F ssh.cfg"]},
    "--ssh-extra-args": {"words": ["--ssh-extra-args=-F ssh.cfg"]},
    "ANSIBLE_SSH_COMMON_ARGS": {"env": {"ANSIBLE_SSH_COMMON_ARGS": "-F ssh.cfg"}},
    "ANSIBLE_SSH_ARGS": {"env": {"ANSIBLE_SSH_ARGS": "-F ssh.cfg"}},
    "--private-key": {"words": ["--private-key=./key", "--ssh-common-args=-F nokey.cfg"]},
    "a relative key": {
        "variables": {"ansible_ssh_private_key_file": "./key"},
        "words": ["--ssh-common-args=-F nokey.cfg"],
    },
    "-e": {"words": ["-e", '{"ansible_ssh_common_args": "-F ssh.cfg"}']},
    "a key among the arguments": {
        "variables": {"ansible_ssh_common_args": "-F nokey.cfg -o IdentityFile=./key"}
    },
    "ANSIBLE_REMOTE_PORT": {
        "words": ["--ssh-common-args=-F noport.cfg"],
        "env": {"ANSIBLE_REMOTE_PORT": "{port}"},
    },
    "an alias with a plus": {
        "host": "jump+dev1",
        "variables": {"ansible_ssh_common_args": "-F ssh.cfg"},
    },
    "-u and remote_port": {
        "words": ["-u", "root", "--ssh-common-args=-F noport.cfg"],
        "cfg": "[defaults]\nremote_port = {port}\n",
    },
    "ansible_ssh_executable": {"variables": {"ansible_ssh_executable": "./site-ssh"}},
    "ansible.cfg, ssh_executable": {"cfg": "[ssh_connection]\nssh_executable = {place}/site-ssh\n"},
    "an executable by its name": {
        "env": {"ANSIBLE_SSH_EXECUTABLE": "site-ssh", "PATH": "and beside this file"},
    },
}


@pytest.mark.skipif(os.geteuid() != 0, reason="one of them logs in as root")
@pytest.mark.parametrize("way", WAYS)
def test_the_printed_tunnel_goes_the_way_that_ansible_goes(
    way, node, tmp_path, free_port, monkeypatch
):
    config = node.config(hosts="dev1 jump+dev1").read_text()
    without = {"nokey": "IdentityFile", "noport": "Port "}
    (tmp_path / "ssh.cfg").write_text(config)
    for name, keyword in without.items():
        lines = [line for line in config.splitlines() if not line.strip().startswith(keyword)]
        (tmp_path / f"{name}.cfg").write_text("\n".join(lines) + "\n")
    shutil.copy(node.place / "key", tmp_path / "key")
    program = tmp_path / "site-ssh"
    program.write_text(f'#!/bin/sh\nexec ssh -F {tmp_path}/ssh.cfg "$@"\n')
    program.chmod(0o755)
    given = dict(WAYS[way])
    env = {
        name: value.replace("{port}", str(node.port))
        for name, value in given.pop("env", {}).items()
    }
    if "PATH" in env:
        env = {**env, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        monkeypatch.setenv("PATH", env["PATH"])
    cfg = given.pop("cfg", "").replace("{place}", str(tmp_path)).replace("{port}", str(node.port))
    printed = play(tmp_path, *given.pop("words", []), cfg=cfg, port=free_port, env=env, **given)
    assert "\nreached\n" in printed, printed
    with greeting(tmp_path / "notebook.sock"):
        opens(command(printed), free_port, tmp_path)


FIND = {"hpcc.notebook.connect": {"state": "found"}}


@pytest.mark.skipif(os.geteuid() != 0, reason="it logs in as root")
@pytest.mark.parametrize("place", ["play", "task"])
def test_keywords_of_a_play_or_a_task_lead_connect_where_they_lead_ansible(place, node, tmp_path):
    lines = node.config().read_text().splitlines()
    unwanted = ("Port ", "User ")
    kept = [line for line in lines if not line.strip().startswith(unwanted)]
    (tmp_path / "ssh.cfg").write_text("\n".join(["Match user nobody-else", "Port 1", *kept]) + "\n")
    keywords = {"remote_user": "root", "port": node.port}
    given = {
        "play": {"keywords": keywords, "tasks": [FIND]}, "task": {"tasks": [{**FIND, **keywords}]},
    }  # fmt: skip
    variables = {"ansible_ssh_common_args": "-F ssh.cfg"}
    printed = play(tmp_path, variables=variables, **given[place])
    assert "no server was started" in printed, printed


LOOK = {
    "hpcc.notebook.notebook_server_info": {"profile": "nbserver"}, "register": "nbserver_looked",
}  # fmt: skip
KNOWN = TELL.replace("server |", "server | combine({'keywords': nbserver_looked.keywords}) |")


@pytest.mark.skipif(os.geteuid() != 0, reason="it logs in as root")
def test_keywords_of_a_play_lead_the_printed_tunnel_where_they_lead_ansible(
    node, tmp_path, free_port
):
    kept = [line for line in node.config().read_text().splitlines() if "Port " not in line]
    (tmp_path / "ssh.cfg").write_text("\n".join(kept) + "\n")
    variables = {"ansible_ssh_common_args": "-F ssh.cfg"}
    keywords = {"remote_user": "root", "port": node.port}
    tasks = [LOOK, {"hpcc.notebook.announce": {"lines": KNOWN}}]
    printed = play(tmp_path, variables=variables, tasks=tasks, keywords=keywords, port=free_port)
    with greeting(tmp_path / "notebook.sock"):
        opens(command(printed), free_port, tmp_path)


def test_the_provider_of_a_smart_card_is_the_tunnels_too(node, tmp_path):
    (tmp_path / "ssh.cfg").write_text(node.config().read_text())
    arguments = {"ansible_ssh_common_args": "-F ssh.cfg"}
    for given, shown in (("./card.so", f"{tmp_path}/card.so"), ("card.so", "card.so")):
        variables = {**arguments, "ansible_ssh_pkcs11_provider": given}
        printed = play(tmp_path, variables=variables, tasks=TASKS[-1:])
        words = command(printed)
        said = subprocess.run(["ssh", "-G", *words[1:]], capture_output=True, text=True, check=True)
        assert f"pkcs11provider {shown}\n" in said.stdout


def test_a_server_that_runs_is_told_of_even_where_the_way_to_it_cannot_be_said(node, tmp_path):
    (tmp_path / "ssh.cfg").write_text(node.config().read_text())
    variables = {"ansible_ssh_common_args": "-F ssh.cfg"}
    printed = play(tmp_path, variables=variables, port=0)
    assert "Notebook server on dev1 is running" in printed
    assert "How to reach it cannot be said: nbserver_local_port: must be" in printed
    assert "Finalization" not in printed


REFUSED = {
    "RequestTTY force": ("", {}, "RequestTTY force in the configuration of ssh", "RequestTTY=no"),
    "RemoteCommand tmux new": ("", {}, "RemoteCommand in the configuration", "RemoteCommand=none"),
    "ForwardAgnet yes": ("", {}, "ssh does not accept how this host is reached", "Correct"),
    "User a": ("two_hop", {}, "nbserver_tunnel: two_hop needs", "hpcc_gateway"),
    "User b": ("", {"ansible_user": "u;id"}, "ansible_user: must be", "login name"),
    "User c": ("", {"ansible_ssh_private_key_file": "-x"}, "private key: must be", "path"),
    "User e": ("", {"ansible_ssh_pkcs11_provider": "-x"}, "PKCS#11 provider: must be", "path"),
    "User f": ("", {"ansible_ssh_executable": "-x"}, "ansible_ssh_executable: must be", "path"),
    "User d": ("", {"ansible_ssh_extra_args": "-J a:b:c"}, "ansible_ssh_extra_args: ", ""),
}


@pytest.mark.parametrize("inside", REFUSED)
def test_what_would_fail_at_the_end_is_refused_by_its_name_at_the_beginning(inside, node, tmp_path):
    form, variables, said, cure = REFUSED[inside]
    config = node.config(inside=f"    {inside}\n")
    given = {"ansible_ssh_common_args": f"-F {config}", "form": form or "jump", **variables}
    printed = play(tmp_path, variables=given, tasks=CHECK)
    (line,) = [line for line in printed.splitlines() if "fatal: [dev1]" in line]
    assert said in line
    assert cure in line
    if "=" in cure:
        given["ansible_ssh_common_args"] += f" -o {cure}"
        assert "failed=0" in play(tmp_path, variables=given, tasks=[*CHECK, *TASKS])


def shown(config, place, port):
    """The command and the remarks for a server of this node."""
    server = {**SERVER, "socket": f"{place}/notebook.sock"}
    dev = {"inventory_hostname": "dev1", "ansible_ssh_common_args": f"-F {config}"}
    return printed_tunnel.printed(server, dev, None, port, "jump")


def test_nothing_is_remarked_where_the_configuration_adds_nothing(node, tmp_path, free_port):
    assert shown(node.config(), tmp_path, free_port).remarks == ()


@pytest.mark.parametrize(
    ("forward", "name"),
    [
        ("LocalForward 127.0.0.1:{taken} localhost:9", "LocalForward [127.0.0.1]:{taken} "),
        ("DynamicForward 127.0.0.1:{taken}", "DynamicForward [127.0.0.1]:{taken}"),
        ("LocalForward 127.0.0.1:{port} localhost:9", "LocalForward [127.0.0.1]:{port} "),
    ],
)
def test_a_command_that_cannot_work_beside_the_configuration_is_shown_with_the_reason(
    forward, name, node, tmp_path, free_port
):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ports = {"taken": listener.getsockname()[1], "port": free_port}
        config = node.config(inside=f"    {forward.format(**ports)}\n")
        found = shown(config, tmp_path, free_port)
        said = "\n".join(found.remarks)
        assert name.format(**ports) in said
        assert "`ansible-playbook hpcc.notebook.connect` does without" in said
        done = subprocess.run(
            shlex.split(found.command), check=False, capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 255, "as was said"


def test_clearing_forwardings_for_ansible_clears_no_tunnel(node, tmp_path, free_port):
    config = node.config(inside="    LocalForward 9 localhost:9\n")
    found = shown(f"{config} -o ClearAllForwardings=yes", tmp_path, free_port)
    assert "ClearAllForwardings" not in found.command
    assert "LocalForward 9 [localhost]:9" in "\n".join(found.remarks), "so it is said"


def test_a_configuration_that_clears_forwardings_is_told_and_the_advice_works(
    node, tmp_path, free_port
):
    found = shown(node.config(inside="    ClearAllForwardings yes\n"), tmp_path, free_port)
    advice = "-o ClearAllForwardings=no"
    assert f"type {advice} behind ssh" in "\n".join(found.remarks)
    words = shlex.split(found.command.replace("ssh", f"ssh {advice}", 1))
    with greeting(tmp_path / "notebook.sock"):
        opens(words, free_port, tmp_path)


def test_a_configuration_that_sends_ssh_to_the_background_is_told(node, tmp_path, free_port):
    config = node.config(inside="    ForkAfterAuthentication yes\n")
    assert "to the background" in "\n".join(shown(config, tmp_path, free_port).remarks)


@pytest.mark.parametrize("open_already", [True, False])
def test_a_shared_login_on_the_node_is_told_and_the_advice_ends_the_tunnel_only(
    open_already, node, tmp_path, free_port
):
    share = f"    ControlMaster auto\n    ControlPath {tmp_path}/%h-%p%%\n    ControlPersist 60\n"
    config = node.config(inside=share)
    login = ["ssh", "-F", str(config)]
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 30}
    if open_already:
        subprocess.run([*login, "dev1", "true"], check=True, **quiet)
    found = shown(config, tmp_path, free_port)
    assert "the command returns at once" in "\n".join(found.remarks)
    try:
        with greeting(tmp_path / "notebook.sock"):
            assert subprocess.run(shlex.split(found.command), check=False, **quiet).returncode == 0
            assert leads(free_port)
            if open_already:
                (advice,) = [line for line in found.remarks if line.startswith("    ssh ")]
                subprocess.run(shlex.split(advice), check=True, **quiet)
                assert not leads(free_port)
        check = subprocess.run([*login, "-O", "check", "dev1"], check=False, **quiet)
        assert check.returncode == 0, "the login of the person stands"
    finally:
        subprocess.run([*login, "-O", "exit", "dev1"], check=False, **quiet)

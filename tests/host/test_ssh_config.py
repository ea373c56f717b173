"""`ssh nbserver` and `ssh nbserver-tunnel`, as ssh itself reads them; nothing else changes."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import config as ssh_config
from ansible_collections.hpcc.notebook.plugins.modules import ssh_config_block
from hypothesis import given, settings
from hypothesis import strategies as st
from modules import ModuleFailed, four_beats, run_module

TUNNEL = "nbserver-tunnel"
SOCKET = "/tmp/nbserver-1000/notebook.sock"
SAFELY = "ssh -N -a -o ExitOnForwardFailure=yes"
FORWARD = f"-L 127.0.0.1:8888:{SOCKET}"
COMMAND = f"{SAFELY} -J alice@hpcc.msu.edu {FORWARD} alice@dev-intel10"
PERSONS = """\
# mine
ForwardAgent yes
Host dev-intel10
  IdentityFile ~/.ssh/cluster key
  ServerAliveInterval 42
Host *
\tUser somebody
\tExitOnForwardFailure no
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "ssh" / "config"
    path.parent.mkdir(mode=0o700)
    path.write_text(PERSONS.replace("~/.ssh/cluster key", '"~/.ssh/cluster key"'))
    return path


def says(path, *words):
    """What OpenSSH makes of a command line under this file."""
    argv = ["ssh", "-G", "-F", str(path), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20)
    return ssh_config.parse(done.stdout)


def test_the_name_of_the_tunnel_means_the_tunnel(config):
    four_beats(ssh_config_block, path=str(config), command=COMMAND)
    said = says(config, TUNNEL)
    assert said["hostname"] == ["dev-intel10"]
    assert said["user"] == ["alice"]
    assert said["proxyjump"] == ["alice@hpcc.msu.edu"]
    assert said["localforward"] == [f"[127.0.0.1]:8888 {SOCKET}"]
    assert "dynamicforward" not in config.read_text().lower(), "that would be a proxy for all"
    assert said["exitonforwardfailure"] == ["yes"]
    assert said["forwardagent"] == ["no"], "although the person says ForwardAgent yes"
    assert said["identityfile"] == ["~/.ssh/cluster key"], "what the person says of the node holds"
    assert said["serveraliveinterval"] == ["42"]


def test_the_bare_name_logs_in_to_the_node_as_the_person_does_and_opens_no_tunnel(config):
    before = says(config, "-J", "alice@hpcc.msu.edu", "alice@dev-intel10")
    run_module(ssh_config_block, path=str(config), command=COMMAND)
    assert says(config, "nbserver") == before
    assert before["forwardagent"] == ["yes"], "theirs, which the tunnel has no use for"


@pytest.mark.parametrize("clear", ["yes", "no"])
def test_the_bare_name_runs_a_command_whatever_other_logins_do(config, clear):
    config.write_text(f"{OTHER_LOGINS.format(clear=clear)}Host *\n  RequestTTY force\n")
    four_beats(ssh_config_block, path=str(config), command=COMMAND)
    said = says(config, "nbserver")
    assert not [keyword for keyword in said if keyword.endswith("forward")]
    assert "remotecommand" not in said
    assert said["requesttty"] == ["auto"]
    assert said["sessiontype"] == ["default"]
    assert said["clearallforwardings"] == ["no"], "an editor forwards by options of its own"


def test_every_other_host_means_what_it_meant(config):
    before = says(config, "other"), says(config, "dev-intel10")
    run_module(ssh_config_block, path=str(config), command=COMMAND)
    assert (says(config, "other"), says(config, "dev-intel10")) == before


def test_what_was_there_is_kept_to_the_byte_and_comes_back_alone(config):
    before = config.read_bytes() + b"# caf\xe9 in latin-1\r\n"
    config.write_bytes(before)
    run_module(ssh_config_block, path=str(config), command=COMMAND)
    assert config.read_bytes().endswith(before)
    four_beats(ssh_config_block, path=str(config), state="absent")
    assert config.read_bytes() == before


def test_a_changed_tunnel_replaces_the_block_where_it_stands(config):
    run_module(ssh_config_block, path=str(config), command=COMMAND)
    config.write_text("# above\n" + config.read_text())
    four_beats(ssh_config_block, path=str(config), command=COMMAND.replace("8888", "9000"))
    text = config.read_text()
    assert text.startswith("# above\n# BEGIN hpcc.notebook nbserver")
    assert text.count("BEGIN") == text.count("Host nbserver\n") == 1
    assert says(config, TUNNEL)["localforward"] == [f"[127.0.0.1]:9000 {SOCKET}"]


def test_a_missing_file_is_made_private(tmp_path):
    path = tmp_path / "new" / "config"
    four_beats(ssh_config_block, path=str(path), command=COMMAND)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_link_to_dotfiles_stays_a_link(config, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(config)
    run_module(ssh_config_block, path=str(link), command=COMMAND)
    assert link.is_symlink()
    assert "Host nbserver" in config.read_text()
    assert stat.S_IMODE(config.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "command",
    [
        f"{SAFELY} {FORWARD} dev",
        f"{SAFELY} -p 2222 -i '/home/a b/k' {FORWARD} bob@10.0.0.7",
        f"{SAFELY} -o 'ProxyCommand=ssh -a gw nc %h %p' {FORWARD} alice@dev",
        f"{SAFELY} -J 'al@[::1]:22' -L 127.0.0.1:1:127.0.0.1:2 alice@dev",
        f"{SAFELY} -4 -C -o UserKnownHostsFile=/a -o ControlPath=~/.ssh/%C {FORWARD} alice@dev",
        f"{SAFELY} -l carol -o 'UserKnownHostsFile=/a /b' -o HostKeyAlias=x {FORWARD} dev",
    ],
)
def test_every_way_to_a_node_can_be_expressed(config, command):
    run_module(ssh_config_block, path=str(config), command=command)
    words = command.removeprefix("ssh ")
    login = re.sub("(-L [^ ]+ )", "", command.removeprefix(SAFELY))
    argv = ["sh", "-c", f"ssh -G -F {config} {words}"]
    direct = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20).stdout
    assert says(config, TUNNEL) == ssh_config.parse(direct)
    argv = ["sh", "-c", f"ssh -G -F {config} {login}"]
    direct = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20).stdout
    assert says(config, "nbserver") == ssh_config.parse(direct)


def test_a_file_that_ansible_gives_to_ssh_is_the_one_to_write(config, tmp_path):
    command = COMMAND.replace(" -J", f" -F {config} -J")
    run_module(ssh_config_block, path=str(config), command=command)
    assert says(config, TUNNEL)["hostname"] == ["dev-intel10"]
    with pytest.raises(ModuleFailed, match="would not be seen"):
        run_module(ssh_config_block, path=str(tmp_path / "other"), command=command)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Host nbserver\n  Port 4\n# BEGIN hpcc.notebook nbserver: written by connect.yml; changes "
         "here are lost\n# END hpcc.notebook nbserver\n", "because of port"),
        ("# END hpcc.notebook nbserver\n", "marks of the block nbserver are damaged"),
        ("ForwardAgnet yes\n", "ssh does not accept it: the new file: line 1: Bad configuration"),
    ],
)  # fmt: skip
def test_a_file_in_which_it_would_not_work_is_left_alone(config, text, reason):
    config.write_text(text)
    with pytest.raises(ModuleFailed, match=reason):
        run_module(ssh_config_block, path=str(config), command=COMMAND)
    assert config.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"command": "ssh -t -a gw 'ssh -N dev'"}, "two hops"),
        ({"command": "rm -rf /"}, "begins with `ssh -N`"),
        ({"command": COMMAND, "name": "*"}, "name: must be"),
        ({"command": COMMAND, "name": "a\nHost *"}, "name: must"),
        ({"command": COMMAND, "path": "relative"}, "path: must be an absolute path"),
        ({}, "command"),
    ],
)
def test_bad_input_changes_nothing(config, arguments, reason):
    before = config.read_bytes()
    with pytest.raises(ModuleFailed, match=reason):
        run_module(ssh_config_block, **{"path": str(config), **arguments})
    assert config.read_bytes() == before


# What the person has configured for the node, and for every host.
OTHER_LOGINS = """\
Host dev-intel10
  LocalForward 8888 localhost:8888
  LocalForward 9001 localhost:9001
  DynamicForward 1080
  RemoteForward 7000 localhost:7000
  RemoteCommand tmux new -A -s main
  RequestTTY yes
  ClearAllForwardings {clear}
"""


@pytest.mark.parametrize("clear", ["yes", "no"])
@pytest.mark.parametrize("everywhere", ["", "RemoteCommand echo\n", "ClearAllForwardings yes\n"])
def test_the_block_forwards_to_the_server_and_nowhere_else(config, clear, everywhere):
    config.write_text(f"{OTHER_LOGINS.format(clear=clear)}Host *\n  {everywhere}")
    four_beats(ssh_config_block, path=str(config), command=COMMAND)
    said = says(config, TUNNEL)
    assert said["localforward"] == [f"[127.0.0.1]:8888 {SOCKET}"]
    assert "dynamicforward" not in said
    assert "remoteforward" not in said
    assert "remotecommand" not in said
    assert said["clearallforwardings"] == ["no"]
    assert said["requesttty"] == ["false"]
    block = config.read_text().partition("# END")[0]
    assert block.lower().count("forward ") == 1


def test_what_is_forwarded_at_every_login_is_left_alone_unless_it_takes_the_port(config):
    config.write_text("LocalForward 9001 localhost:9001\n")
    four_beats(ssh_config_block, path=str(config), command=COMMAND)
    assert f"[127.0.0.1]:8888 {SOCKET}" in says(config, TUNNEL)["localforward"]
    config.write_text("LocalForward 127.0.0.2:8888 localhost:9\nRemoteForward 8888 localhost:9\n")
    four_beats(ssh_config_block, path=str(config), command=COMMAND)


@pytest.mark.parametrize(
    "taking",
    [
        "LocalForward 127.0.0.1:8888 localhost:9",
        "LocalForward 8888 localhost:9",
        "LocalForward *:8888 localhost:9",
        "DynamicForward localhost:8888",
    ],
)
def test_what_is_forwarded_at_every_login_where_the_tunnel_begins_is_refused(taking, config):
    config.write_text(f"{taking}\n")
    with pytest.raises(ModuleFailed, match=f"because of {taking.partition(' ')[0].lower()}"):
        run_module(ssh_config_block, path=str(config), command=COMMAND)
    assert "nbserver" not in config.read_text()


SYSTEMS = """\
Host dev-intel10
  ProxyJump somebody@system-gateway
  LocalForward 8888 localhost:8888
Host *
  SendEnv LANG
"""
BY_MATCH = """\
Match host dev-intel10
  ProxyJump somebody@system-gateway
Match exec true
  LocalForward 8877 localhost:8888
"""
INCLUDED = "Include {place}/more\nHost *\n  SendEnv LANG\n"
# In a mount namespace of its own, where the two files that ssh reads by itself are these.
IN_A_HOME = """
mount --bind {place}/system /etc/ssh/ssh_config
mkdir -p ~/.ssh && mount --bind {place}/ssh ~/.ssh
{python} - <<'END' && ssh -G nbserver-tunnel
import sys
sys.path[:0] = {path!r}
from modules import run_module
from ansible_collections.hpcc.notebook.plugins.modules import ssh_config_block
run_module(ssh_config_block, command={command!r})
END
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may put another file in its place")
@pytest.mark.parametrize("text", [SYSTEMS, BY_MATCH, INCLUDED], ids=["host", "match", "include"])
def test_the_systems_file_is_read_where_ssh_reads_it(text, tmp_path):
    (tmp_path / "system").write_text(text.format(place=tmp_path))
    (tmp_path / "more").write_text(SYSTEMS)
    (tmp_path / "ssh").mkdir(mode=0o700)
    script = IN_A_HOME.format(
        place=tmp_path,
        python=sys.executable,
        path=sys.path,
        command=f"{SAFELY} {FORWARD} dev-intel10",
    )
    home = Path("/root/.ssh")
    missing = not home.exists()
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-e", "-c", script], capture_output=True, text=True,
        check=False, timeout=60, env={**os.environ, "HOME": "/root"},
    )  # fmt: skip
    if missing:
        home.rmdir()
    assert done.returncode == 0, done.stderr
    said = ssh_config.parse(done.stdout)
    assert said["proxyjump"] == ["somebody@system-gateway"]
    assert said["localforward"][0] == f"[127.0.0.1]:8888 {SOCKET}"
    assert said["localforward"][1:] == (["8877 [localhost]:8888"] if "8877" in text else [])


def test_two_names_live_side_by_side(config):
    run_module(ssh_config_block, path=str(config), command=COMMAND)
    other = COMMAND.replace("dev-intel10", "dev-intel14").replace("8888", "8889")
    run_module(ssh_config_block, path=str(config), command=other, name="nb14")
    assert says(config, TUNNEL)["hostname"] == ["dev-intel10"]
    assert (
        says(config, "nb14")["hostname"]
        == says(config, "nb14-tunnel")["hostname"]
        == ["dev-intel14"]
    )


VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


@settings(deadline=None)
@given(VALUES.filter(lambda value: value.strip() == value and "%" not in value))
def test_ssh_reads_a_value_as_it_was_meant_or_it_is_refused(value):
    try:
        line = f"identityfile {ssh_config.quoted('identityfile', value)}"
    except NotebookError:
        return
    argv = ["ssh", "-G", "-F", "/dev/stdin", "x"]
    done = subprocess.run(
        argv,
        input=f"Host x\n{line}\n  Port 4\n".encode(),
        capture_output=True,
        check=True,
        timeout=20,
    )
    said = ssh_config.parse(done.stdout.decode())
    assert said["identityfile"] == [value]
    assert said["port"] == ["4"], "and nothing of it became another line or option"


@given(st.lists(st.sampled_from(["a\n", "# x\r\n", "\n", "Host y\n", "ä"])).map("".join))
def test_adding_and_removing_gives_the_same_text_again(text):
    hosts = {"nb": ["    user a"], "nb-tunnel": []}
    added = ssh_config.with_block(text, "nb", hosts)
    assert ssh_config.with_block(added, "nb", hosts) == added
    assert ssh_config.without_block(added, "nb") == text
    assert ssh_config.without_block(text, "nb") == text

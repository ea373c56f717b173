"""What outlives a logout: by tables, and where this machine allows it, with a real systemd."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._server import logind
from ansible_collections.hpcc.notebook.plugins.module_utils._server.logind import Logind
from servers import RUNNER, new_account

pytestmark = pytest.mark.timeout(600)  # a real systemd, and a real server in it
TMUX = ["tmux", "new-session"]
SCOPE = ["systemd-run", "--user", "--scope", "--quiet", "--"]


@pytest.mark.parametrize(
    ("kills", "manager", "lingers", "scope", "warns"),
    [
        (False, False, False, False, False),
        (False, True, False, False, False),  # its systemd would end sooner than the session
        (False, True, True, False, False),
        (True, True, True, True, False),
        (True, True, False, True, True),
        (True, False, False, False, True),
        (True, False, True, False, True),
    ],
)
def test_the_session_is_left_where_it_would_take_the_server_along(
    kills, manager, lingers, scope, warns
):
    host = Logind(kills, manager, lingers)
    assert logind.surviving(TMUX, host) == ([*SCOPE, *TMUX] if scope else TMUX)
    assert bool(host.warning) == warns
    assert "enable-linger" in (host.warning or "enable-linger")


@pytest.mark.parametrize(
    ("shown", "killed"),
    [
        ("KillUserProcesses=no\nKillOnlyUsers=\nKillExcludeUsers=root\n", False),
        ("KillUserProcesses=yes\nKillOnlyUsers=\nKillExcludeUsers=root\n", True),
        ("KillUserProcesses=yes\nKillExcludeUsers=root alice\n", False),
        ("KillUserProcesses=yes\nKillOnlyUsers=bob\n", False),
        ("KillUserProcesses=yes\nKillOnlyUsers=bob alice\n", True),
        ("", False),
        ("Failed to connect to bus\n", False),
    ],
)
def test_whom_logind_kills_is_read_from_its_properties(shown, killed):
    assert logind.kills(shown, "alice") == killed


# In a mount namespace of its own: systemd believes that it was booted, the account gets its
# XDG_RUNTIME_DIR and a cgroup as a login would, and starts the server from there. Then comes what
# logind does at a logout: whatever is left in the cgroup of the session is killed.
LOGIN = """
set -e
place=/run/user/$ACCOUNT
mkdir -p /run/systemd /run/user /sys/fs/cgroup/systemd
mount -t tmpfs none /run/systemd && mkdir /run/systemd/system
mount -t tmpfs none /run/user && install -d -m 0700 -o "$ACCOUNT" -g "$ACCOUNT" "$place"
mountpoint -q /sys/fs/cgroup/systemd ||
    mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
groups=
for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    groups="$groups $hierarchy/hpcc-notebook-$ACCOUNT"
    mkdir -p "$hierarchy/hpcc-notebook-$ACCOUNT/session"
    chown -R "$ACCOUNT" "$hierarchy/hpcc-notebook-$ACCOUNT"
done
enter() { for group in $groups; do echo "$BASHPID" >"$group$1/cgroup.procs"; done; }
as() { setpriv --reuid="$ACCOUNT" --regid="$ACCOUNT" --clear-groups env -i HOME="$HOME_OF" "$@"; }
(enter "" && as XDG_RUNTIME_DIR="$place" /lib/systemd/systemd --user) &>"$HOME_OF/log" </dev/null &
for _ in $(seq 300); do
    [ -S "$place/systemd/private" ] && break
    sleep 0.1
done
[ -S "$place/systemd/private" ] || { cat "$HOME_OF/log" >&2; exit 1; }
echo its systemd has started >&2
(enter /session && as PATH="$PROGRAMS:$PATH" "$PYTHON" -c "$RUNNER")
for pid in $(cat /sys/fs/cgroup/systemd/hpcc-notebook-"$ACCOUNT"/session/cgroup.procs); do
    kill -KILL "$pid"
done
sleep 1
pid=$(sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p' "$HOME_OF"/.ipython/*/run/*.json)
grep name=systemd "/proc/$pid/cgroup"
"""
LOGINCTL = """#!/bin/sh
printf 'KillUserProcesses=yes\\nKillOnlyUsers=\\nKillExcludeUsers=root\\n'
"""


@pytest.fixture
def account(everybodys_python):
    if os.geteuid() != 0:
        pytest.skip("needs root to give an account a systemd of its own")
    if not (Path("/lib/systemd/systemd").exists() and shutil.which("systemd-run")):
        pytest.skip("this machine has no systemd")
    account = new_account(everybodys_python)
    programs = account.home / "programs"
    programs.mkdir()
    (programs / "loginctl").write_text(LOGINCTL)
    for path in (programs, programs / "loginctl"):
        path.chmod(0o755)
    yield account
    account.clean_up()
    # The user is made up, so whatever runs as that one was started here.
    subprocess.run(["pkill", "-KILL", "-U", str(account.uid)], check=False)
    for group in Path("/sys/fs/cgroup").glob(f"*/hpcc-notebook-{account.uid}"):
        subprocess.run(["find", group, "-depth", "-type", "d", "-delete"], check=False)


@pytest.mark.fault("F63 logout")
def test_a_server_survives_the_logout_that_kills_its_session(account):
    asked = {"module": "notebook_server", "profile": account.profile, "timeout": 200}
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "bash", "-c", LOGIN],
        input=json.dumps(asked),
        env={
            "PATH": os.environ["PATH"],
            "ACCOUNT": str(account.uid),
            "HOME_OF": str(account.home),
            "PROGRAMS": str(account.home / "programs"),
            "PYTHON": account.python,
            "RUNNER": RUNNER,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if "its systemd has started" not in done.stderr:
        pytest.skip(f"systemd --user cannot run here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    (answer, cgroup) = done.stdout.strip().splitlines()
    assert json.loads(answer)["state"] == "started", answer
    assert "enable-linger" in answer, "the account does not linger, and that is said"
    assert cgroup.endswith(".scope")


@pytest.fixture
def lasting(account):
    """What pam_systemd gives to an account that lingers."""
    directory = Path(f"/run/user/{account.uid}")
    mark = Path(f"/var/lib/systemd/linger/{account.uid}")
    made = [path for path in (directory.parent, *mark.parents) if not path.exists()]
    mark.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, parents=True)
    os.chown(directory, account.uid, -1)
    mark.touch()
    yield directory, mark
    account.clean_up()
    shutil.rmtree(directory)
    mark.unlink(missing_ok=True)
    for path in sorted(made, reverse=True):
        path.rmdir()


def test_where_the_account_lingers_the_socket_lies_out_of_sight_and_stays_found(account, lasting):
    directory, mark = lasting
    first = account.server(timeout=200)
    assert first["socket"] == f"{directory}/{account.profile}/notebook.sock"
    assert not account.local.exists()
    mark.unlink()
    again = account.server()
    assert (again["pid"], again["socket"]) == (first["pid"], first["socket"])
    assert account.server(state="absent")["changed"] is True
    assert list(directory.iterdir()) == []
    assert account.server(check=True)["socket"] == str(account.local / "notebook.sock")

"""Real servers are started, found, refused and ended, as an ordinary user, in a real tmux."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils.profile.layout import MANAGED
from modules import ModuleFailed
from servers import TOKEN, new_account, python_for_everybody

pytestmark = pytest.mark.timeout(300)  # several starts, on a machine that may be busy
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as a second user")


@pytest.fixture(scope="module")
def python():
    # Not below pytest's own directory, which is for one user only.
    with tempfile.TemporaryDirectory(prefix="python", dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        yield python_for_everybody(Path(directory) / "v")


@pytest.fixture
def account(python):
    account = new_account(python)
    yield account
    account.clean_up()


@pytest.fixture
def free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def refusal(account, **params):
    """The message with which the module fails; nothing may run after that."""
    with pytest.raises(ModuleFailed) as failed:
        account.server(**params)
    message = str(failed.value)
    assert "Traceback" not in message
    assert "\n" not in message
    assert TOKEN not in message
    assert account.processes() == []
    return message


def tcp_listeners(pid):
    said = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if f"pid={pid}," in line]


def test_the_four_beats_of_a_start_and_of_a_stop(account):
    untouched = account.tree()
    checked = account.server(check=True)
    assert account.tree() == untouched, "a check run changes nothing on disk"
    assert account.processes() == []
    started = account.server()
    running = account.tree()
    again = account.server(check=True), account.server()
    assert account.tree().keys() == running.keys()
    assert [run["changed"] for run in (checked, started, *again)] == [True, True, False, False]
    assert checked["diff"] == started["diff"]
    assert again[1]["pid"] == started["pid"]
    assert again[1]["since"] == started["since"]
    assert started["version"] == checked["version"]
    assert re.fullmatch(r"JupyterLab 4\.\d+\.\d+", started["version"])
    assert started["socket"] == str(account.local / "notebook.sock")

    _look_at_a_running_server(account, started)

    would_stop = account.server(state="stopped", check=True)
    assert account.server(check=True)["pid"] == started["pid"], "it was only asked"
    stopped = account.server(state="stopped")
    assert account.processes() == []
    after = account.tree()
    never = account.server(state="stopped", check=True), account.server(state="stopped")
    assert account.tree() == after
    assert [run["changed"] for run in (would_stop, stopped, *never)] == [True, True, False, False]
    assert would_stop["diff"] == stopped["diff"]
    assert stopped["stopped_by"] == "it shut down cleanly"
    assert not (account.local / "notebook.sock").exists()


def _look_at_a_running_server(account, started):
    """With other people's tools: curl, openssl, tmux, ss, ps."""
    code = ["-o", "/dev/null", "-w", "%{http_code}"]
    assert account.curl("/api/status", *code) == "403"
    assert account.curl("/lab", *code) == "302", "strangers are sent to the login page"
    known = ["-H", f"Authorization: token {TOKEN}"]
    assert json.loads(account.curl("/api/status", *known))["kernels"] == 0
    assert account.curl("/api/status", *code, *known, "-H", "Host: evil.example") == "403"

    crt = str(account.security / "notebook.crt")
    shown = account.run("openssl", "x509", "-in", crt, "-noout", "-fingerprint", "-sha256")
    assert shown.strip().endswith(started["certificate_sha256"])
    tmux = ["tmux", "-S", str(account.local / "tmux.sock")]
    assert account.run(*tmux, "list-sessions", "-F", "#{session_name}").split() == [account.profile]
    assert "running at" in account.run(*tmux, "capture-pane", "-p", "-J", "-t", account.profile)
    assert tcp_listeners(started["pid"]) == []

    environment = Path(f"/proc/{started['pid']}/environ").read_bytes()
    argv = Path(f"/proc/{started['pid']}/cmdline").read_bytes()
    assert TOKEN.encode() not in environment + argv + account.log.encode()
    assert not list(account.local.glob("runtime/*-open.html"))
    ours = [str(account.directory), str(account.local)]
    assert account.run("find", *ours, "-type", "f", "-perm", "/077") == ""
    assert stat.S_IMODE(account.local.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(started["socket"]).stat().st_mode) == 0o600


def test_kernels_listen_on_no_port_and_end_with_the_server(account):
    started = account.server()
    known = ["-H", f"Authorization: token {TOKEN}", "-X", "POST"]
    kernel = json.loads(account.curl("/api/kernels", *known))["id"]
    connection = json.loads((account.local / f"runtime/kernel-{kernel}.json").read_text())
    assert connection["transport"] == "ipc"
    assert tcp_listeners(started["pid"]) == []
    assert account.server(state="stopped")["stopped_by"] == "it shut down cleanly"
    deadline = time.monotonic() + 10
    while account.processes() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert account.processes() == []


def test_over_tcp_only_the_chosen_port_of_loopback_is_listened_on(account, free_port):
    started = account.server(transport="tcp", port=free_port, frontend="notebook")
    assert started["url"] == f"https://127.0.0.1:{free_port}"
    assert (started["port"], "socket" in started) == (free_port, False)
    assert started["version"].startswith("Jupyter Notebook 7.")
    (line,) = tcp_listeners(started["pid"])
    assert f"127.0.0.1:{free_port} " in line
    assert not (account.local / "notebook.sock").exists()
    assert account.server(transport="tcp", port=free_port, frontend="notebook")["changed"] is False
    assert account.server(state="stopped")["stopped_by"] == "it shut down cleanly"


def test_a_squatted_port_is_refused_with_its_owner(account, free_port):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", free_port))
        squatter.listen()
        said = refusal(account, transport="tcp", port=free_port)
        assert f"127.0.0.1:{free_port}: taken by uid {os.geteuid()} (" in said
        assert not account.local.exists(), "it was seen before anything was made"


def test_a_server_that_is_asked_for_differently_is_left_alone_and_said(account):
    pid = account.server(frontend="nbclassic")["pid"]
    again = account.server(frontend="lab")
    assert (again["changed"], again["pid"], again["frontend"]) == (False, pid, "nbclassic")
    assert "restart it to have JupyterLab over a socket" in json.dumps(again["warnings"])
    restarted = account.server(state="restarted", frontend="lab")
    assert (restarted["changed"], restarted["frontend"]) == (True, "lab")
    assert restarted["pid"] != pid
    assert restarted["stopped_by"] == "it shut down cleanly"


def test_after_a_kill_the_next_start_works_over_the_stale_socket(account):
    first = account.server()
    os.kill(first["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while account.processes() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (account.local / "notebook.sock").exists()
    checked, second = account.server(check=True), account.server()
    assert second["reason"] == checked["reason"] == f"the server of {first['since']} is gone"
    assert second["pid"] != first["pid"]


DEAF = """
from jupyter_server.services.shutdown import ShutdownHandler
async def post(self):
    self.set_status(500)
ShutdownHandler.post = post
"""
STUBBORN = """
from jupyter_server.serverapp import ServerApp
ServerApp._signal_stop = lambda *_: None
"""


def gone(account):
    """Whether everything of the account ends within a time that a busy machine may need."""
    deadline = time.monotonic() + 30
    while account.processes() and time.monotonic() < deadline:
        time.sleep(0.1)
    return account.processes() == []


def test_a_server_that_is_frozen_together_with_its_tmux_is_ended(account):
    pid = account.server()["pid"]
    tmux = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    for each in (tmux, pid):  # in this order, because tmux lets a stopped process go on
        os.kill(each, signal.SIGSTOP)
    stopped = account.server(state="stopped")
    assert stopped["stopped_by"] == "SIGTERM was needed"
    os.kill(tmux, signal.SIGCONT)
    assert gone(account)


QUICK = """
from tornado import ioloop
class Impatient(ioloop.PeriodicCallback):
    def __init__(self, callback, often, *more, **others):
        super().__init__(callback, min(often, 500), *more, **others)
ioloop.PeriodicCallback = Impatient
"""


def test_a_server_that_nobody_uses_ends_by_itself_when_that_was_asked_for(account):
    account.write(account.directory / "jupyter_server_config.py", QUICK)
    started = account.server(idle_shutdown=5)
    account.curl("/api/kernels", "-H", f"Authorization: token {TOKEN}", "-X", "POST")
    deadline = time.monotonic() + 90
    while account.processes() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert account.processes() == [], "the kernel was culled, and then the server went"
    assert "No kernels for" in account.log
    assert account.server(check=True)["reason"] == f"the server of {started['since']} is gone"


@pytest.mark.parametrize(("habit", "needed"), [(DEAF, "SIGTERM"), (DEAF + STUBBORN, "SIGKILL")])
def test_a_server_that_does_not_end_when_asked_is_ended_and_that_is_said(account, habit, needed):
    account.write(account.directory / "jupyter_server_config.py", habit)
    account.server()
    account.curl("/api/kernels", "-H", f"Authorization: token {TOKEN}", "-X", "POST")
    stopped = account.server(state="stopped")
    assert stopped["stopped_by"].startswith(f"{needed} was needed")
    assert stopped["kernels_ended"] == 1
    assert account.processes() == []


def test_a_server_is_found_without_its_record(account):
    pid = account.server()["pid"]
    account.record.unlink()
    found = account.server(check=True), account.server(), account.server()
    assert [run["pid"] for run in found] == [pid] * 3
    assert [run["changed"] for run in found] == [True, True, False]
    assert found[0]["reason"] == "it ran without a record"


def test_a_deleted_socket_of_tmux_is_made_again_around_the_living_server(account):
    pid = account.server()["pid"]
    socket_of_tmux = account.local / "tmux.sock"
    socket_of_tmux.unlink()
    found = account.server(check=True), account.server(), account.server()
    assert [run["pid"] for run in found] == [pid] * 3
    assert [run["changed"] for run in found] == [True, True, False]
    assert found[0]["reason"] == "the socket of its tmux was gone"
    assert socket_of_tmux.is_socket()
    socket_of_tmux.unlink()
    assert account.server(state="stopped")["changed"] is True
    assert account.processes() == []


def test_a_tmux_that_was_killed_is_followed_by_exactly_one_server(account):
    first = account.server()["pid"]
    account.run("pkill", "-KILL", "-x", "-u", str(account.uid), "tmux: server")
    until = time.monotonic() + 30
    while account.info()["servers"][0]["state"] == "running" and time.monotonic() < until:
        time.sleep(0.2)
    assert account.info()["servers"][0]["state"] in ("dead", "session lost")
    again = account.server()
    assert again["pid"] != first
    assert not Path(f"/proc/{first}").exists()
    tmux = ["tmux", "-S", str(account.local / "tmux.sock")]
    assert account.run(*tmux, "list-sessions", "-F", "#{session_name}").split() == [account.profile]


def test_a_server_whose_socket_was_deleted_is_not_called_running(account):
    pid = account.server()["pid"]
    (account.local / "notebook.sock").unlink()
    with pytest.raises(ModuleFailed, match=rf"process {pid}\) does not answer.* stop it and start"):
        account.server(timeout=6)
    stopped = account.server(state="stopped")
    assert stopped["stopped_by"] == "SIGTERM was needed"
    assert account.server()["pid"] != pid


def test_two_starts_at_once_make_one_server(account):
    both = [account.begin(), account.begin()]
    first, second = (account.finish(run) for run in both)
    assert first["pid"] == second["pid"]
    assert sorted([first["changed"], second["changed"]]) == [False, True]


def test_a_renewed_certificate_is_served_at_once(account):
    old = account.server()["certificate_sha256"]
    account.make_certificate()
    again = account.server()
    assert again["changed"] is False
    assert again["certificate_sha256"] != old
    assert account.curl("/api/status", "-o", "/dev/null", "-w", "%{http_code}") == "403"


def test_a_password_that_was_changed_after_the_start_is_said_until_a_restart(account):
    account.server()
    time.sleep(3)
    (account.directory / "jupyter_server_config.json").touch()
    assert "restart applies that" in json.dumps(account.server()["warnings"])
    account.server(state="restarted")
    assert "warnings" not in account.server()


def test_a_token_that_the_server_does_not_know_yet_is_said(account):
    account.server()
    account.write(account.security / "token", "another" * 6)
    assert "answered with 403 instead of 200; restart the server" in json.dumps(account.server())
    account.server(state="restarted")
    assert "warnings" not in account.server()


def _remember(account, **changed):
    """A record as a start leaves it, of a server that never was."""
    record = {
        "schema": 2,
        "host": socket.gethostname().split(".")[0],
        "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "pid": 1,
        "start_time": 1,
        "since": "2026-01-01T00:00:00Z",
        "session": account.profile,
        "frontend": "lab",
        "version": "JupyterLab 4",
        "transport": "socket",
        "port": 8888,
        "socket": f"/tmp/{account.profile}-{account.uid}/notebook.sock",
        "certificate_sha256": "",
        **changed,
    }
    (account.directory / "run").mkdir(mode=0o700)
    os.chown(account.directory / "run", account.uid, -1)
    account.write(account.directory / "run" / f"{record['host']}.json", json.dumps(record))


def test_a_record_from_before_a_reboot_is_no_server(account):
    _remember(account, boot_id="another")
    found = account.server(check=True)
    assert found["reason"] == "the host was rebooted since the start of 2026-01-01T00:00:00Z"
    assert account.server(state="stopped")["changed"] is False


def test_a_process_that_a_record_names_but_that_is_not_ours_is_not_touched(account):
    bystander = subprocess.Popen(account.command("sleep", "60"))
    try:
        _remember(account, pid=bystander.pid)
        assert account.server(state="stopped")["changed"] is False
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_server_of_another_host_is_reported_and_no_second_one_is_started(account):
    _remember(account, host="another", since="2026-01-02T03:04:05Z")
    before = account.tree()
    for state in ("started", "restarted"):
        found = account.server(state=state)
        assert (found["state"], found["host"], found["changed"]) == ("elsewhere", "another", False)
        assert found["socket"] == str(account.local / "notebook.sock")
        assert found["since"] == "2026-01-02T03:04:05Z"
    assert account.tree() == before, "another host's record is not touched"
    assert account.server(state="stopped")["changed"] is False
    assert account.server(second=True)["changed"] is True
    assert account.server()["state"] == "started", "the one of this host is what is meant now"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("[]"), "is not a record of a server"),
        (lambda path: path.write_bytes(b" " * (5 << 20)), "is larger than"),
        (lambda path: path.symlink_to("/etc/hostname"), "is a symbolic link"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_text(GOOD_RECORD), "speaks of the host 'elsewhere'"),
    ],
)
def test_a_damaged_record_of_another_host_is_named_and_never_acted_on(account, damage, said):
    (account.directory / "run").mkdir(mode=0o700)
    os.chown(account.directory / "run", account.uid, -1)
    path = account.directory / "run" / "another.json"
    damage(path)
    if not path.is_symlink():
        os.chown(path, account.uid, -1)
    found = account.server(check=True)
    assert found["state"] == "started"
    (warning,) = [str(each) for each in found["warnings"]]
    assert str(path) in warning
    assert said in warning
    assert os.path.lexists(path)


def test_a_record_changed_by_hand_is_refused_with_a_way_out(account):
    _remember(account, pid="1")
    assert "Remove this file and run again" in refusal(account)


GOOD_RECORD = json.dumps(
    {
        "schema": 2,
        "host": "elsewhere",
        "boot_id": "b",
        "pid": 1,
        "start_time": 1,
        "since": "2026-01-01T00:00:00Z",
        "session": "s",
        "frontend": "lab",
        "version": "JupyterLab 4",
        "transport": "tcp",
        "port": 8888,
        "socket": "",
        "certificate_sha256": "",
    }
)


def _lose(name):
    return lambda account: (account.directory / name).unlink()


def _write(name, content, mode=0o600):
    return lambda account: account.write(account.directory / name, content, mode)


def _certificate(**options):
    return lambda account: account.make_certificate(**options)


def _password(hashed):
    text = json.dumps({"PasswordIdentityProvider": {"hashed_password": hashed}})
    return _write("jupyter_server_config.json", text)


def _mismatch(account):
    key = (account.security / "notebook.key").read_bytes()
    account.make_certificate()
    account.write(account.security / "notebook.key", key)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda a: (a.directory).rename(a.home / "away"), "the profile is not ready: missing"),
        (lambda a: a.directory.chmod(0o755), "the profile is not ready: mode 0755"),
        (_lose("security/notebook.crt"), "notebook.crt: No such file"),
        (_lose("security/notebook.key"), "notebook.key: is missing or empty"),
        (_lose("security/token"), "token: is missing or empty"),
        (_lose("jupyter_server_config.py"), "config.py: is missing or empty"),
        (_lose("jupyter_server_config.json"), "config.json: is missing or empty"),
        (_write("security/notebook.crt", "garbage"), "notebook.crt: "),
        (_write("security/notebook.key", "garbage"), "no browser would accept it"),
        (_mismatch, "key values mismatch"),
        (
            lambda a: (a.security / "notebook.key").chmod(0o644),
            "others may have read it (mode 0644)",
        ),
        (_certificate(rsa=1024), "ee key too small"),
        (_certificate(days=(-3, -1)), "certificate has expired"),
        (_certificate(days=(1, 3)), "certificate is not yet valid"),
        (_certificate(name="elsewhere.example"), "not valid for 'localhost'"),
        (_write("jupyter_server_config.py", "c = get_config("), "config.py: is damaged"),
        (_write("jupyter_server_config.py", b"c\0"), "config.py: is damaged"),
        (_write("jupyter_server_config.json", '{"PasswordIdentityP'), "config.json: is damaged"),
        (_write("jupyter_server_config.json", "[]"), "config.json: holds no password"),
        (_write("security/token", "cut"), "token: is cut off: 3 bytes of at least 32"),
        (_write("security/cookie_secret", "cut"), "cookie_secret: is cut off"),
        (
            _write("jupyter_server_config.py", f"{MANAGED}\nc = get_config()\n"),
            "its end is missing",
        ),
        (_write("jupyter_server_config.json", b"\xef\xbb\xbf{}"), "config.json: is damaged"),
        (_write("jupyter_server_config.json", "[" * 20000), "config.json: is damaged"),
        (_password("sha1:0:1"), "the stored hash must be argon2id, not an old hash"),
        (_password("argon2:$argon2id$v=19$m=10240"), "the stored hash must be a complete"),
        (
            _write("jupyter_server_config.json", '{"PasswordIdentityProvider": {}}'),
            "config.json: holds no password",
        ),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_damaged_profile_is_refused_before_anything_is_made(account, damage, said, check):
    damage(account)
    before = account.tree()
    message = refusal(account, check=check)
    assert said in message
    assert message.endswith("Run setup.yml.")
    assert account.tree() == before


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ("raise RuntimeError('damaged here')", "the server ended: .*damaged here"),
        ("c.ServerApp.pasword = 'x'", "Config option `pasword` not recognized by `ServerApp`"),
        (
            "from jupyter_server.auth.identity import PasswordIdentityProvider as P\n"
            "P.auth_enabled = False\nP.get_user = lambda *_: __import__('jupyter_server.auth')"
            ".auth.User('anybody')",
            "a stranger was answered with 200 instead of 403",
        ),
        (
            "import os\nraise SystemExit(open(os.environ['JUPYTER_TOKEN_FILE']).read())",
            r"the server ended: .*\(token\)",
        ),
    ],
)
def test_a_configuration_that_only_jupyter_can_judge_leaves_no_server(account, configuration, said):
    config = account.directory / "jupyter_server_config.py"
    account.write(config, f"c = get_config()\n{configuration}\n")
    assert re.search(said, refusal(account))
    assert not (account.local / "notebook.sock").exists()
    account.write(config, "c = get_config()\n")
    assert account.server()["changed"] is True, "without the damage the next start works"


def test_a_server_that_hangs_is_ended_when_its_time_is_up(account):
    config = account.directory / "jupyter_server_config.py"
    account.write(config, "import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")
    began = time.monotonic()
    assert "no answer within 8 seconds: waiting. Give it more time" in refusal(account, timeout=8)
    assert time.monotonic() - began < 55


def test_a_planted_link_in_the_place_of_our_directory_is_refused(account, tmp_path):
    account.local.symlink_to(tmp_path)
    try:
        assert f"{account.local}: is a symbolic link" in refusal(account)
        assert list(tmp_path.iterdir()) == []
    finally:
        account.local.unlink()


@as_root
def test_a_directory_that_another_user_planted_is_refused(account):
    account.local.mkdir(mode=0o777)
    os.chown(account.local, 65534, -1)
    assert "belongs to uid 65534" in refusal(account)
    assert list(account.local.iterdir()) == []


def test_modules_that_the_site_does_not_have_are_refused_before_anything_is_made(account):
    before = account.tree()
    said = refusal(account, modules=["no-such-module"])
    assert said.startswith("module load no-such-module: cannot be loaded: ")
    assert account.tree() == before


@as_root
def test_root_is_refused(account):
    account.uid = 0
    assert "must not run as root" in refusal(account, check=True)


def test_without_tmux_nothing_is_made(account):
    before = account.tree()
    with pytest.raises(ModuleFailed, match="tmux: no such program on this host"):
        account.finish(account.begin(environment={"PATH": "/nonexistent"}))
    assert account.tree() == before


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"profile": "../x"}, "profile: "),
        ({"profile": ""}, "profile: "),
        ({"session": "a.b:c"}, "session: "),
        ({"session": "#(touch x)"}, "session: "),
        ({"port": 0}, "port: "),
        ({"port": 99999}, "port: "),
        ({"timeout": 0}, "timeout: "),
        ({"frontend": "vim"}, "value of frontend must be one of"),
    ],
)
def test_a_bad_value_is_refused_by_name(account, params, said):
    assert said in refusal(account, **params)

"""How a server is launched, recognised again, and when it is started or stopped."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import fields, replace

import pytest
import server_answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server import tmux
from ansible_collections.hpcc.notebook.plugins.module_utils._server.launch import (
    clean_environment,
    launch_line,
    launched,
    modules_line,
    server_argv,
    variables,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    FRONTENDS,
    Launch,
    Layout,
    require_short_sockets,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.plan import (
    Found,
    decide,
    difference,
    why_start,
    why_stop,
)
from hypothesis import given
from hypothesis import strategies as st

P = "/home/alice/.ipython/profile_nbserver"
LAYOUT = Layout("/home/alice", "nbserver", "dev-intel10", 1000)
SOCKET = Launch("lab", "socket", 8888)
TCP = Launch("notebook", "tcp", 9000)
RECORD = replace(
    server_answers.RECORD,
    host="dev-intel10",
    boot_id="b0",
    pid=4711,
    start_time=12345,
    socket="/tmp/nbserver-1000/notebook.sock",
)


def options(argv):
    """Command line options as Jupyter reads them."""
    return dict(word[2:].split("=", 1) for word in argv if word.startswith("--"))


@pytest.mark.parametrize("launch", [SOCKET, TCP])
def test_what_keeps_a_server_private_is_pinned_on_its_command_line(launch):
    pinned = options(server_argv("/p/bin/python", LAYOUT, launch))
    assert pinned["ServerApp.certfile"] == f"{P}/security/notebook.crt"
    assert pinned["ServerApp.keyfile"] == f"{P}/security/notebook.key"
    assert pinned["PasswordIdentityProvider.password_required"] == "True"
    assert pinned["ServerApp.ip"] == "127.0.0.1"
    assert pinned["ServerApp.port_retries"] == "0"
    assert pinned["ServerApp.sock_mode"] == "0600"
    assert pinned["ServerApp.disable_check_xsrf"] == "False"
    assert pinned["ServerApp.allow_origin"] == ""
    assert pinned["ServerApp.allow_root"] == "False"
    assert pinned["KernelManager.transport"] == "ipc"


def test_the_socket_and_the_port_exclude_each_other():
    assert options(server_argv("p", LAYOUT, SOCKET))["ServerApp.sock"] == LAYOUT.socket
    assert options(server_argv("p", LAYOUT, TCP))["ServerApp.sock"] == ""
    assert options(server_argv("p", LAYOUT, TCP))["ServerApp.port"] == "9000"


def test_jupyter_knows_every_option_that_is_pinned():
    """What Jupyter does not know it skips with a warning; then nothing would be pinned."""
    from jupyter_client.manager import KernelManager
    from jupyter_server.auth.identity import PasswordIdentityProvider
    from jupyter_server.serverapp import ServerApp

    classes = {c.__name__: c for c in (KernelManager, PasswordIdentityProvider, ServerApp)}
    for option in options(server_argv("p", LAYOUT, SOCKET)):
        name, trait = option.split(".")
        assert trait in classes[name].class_trait_names(config=True)


def test_no_secret_is_in_the_command_line_or_the_environment():
    line = launch_line("/bin/bash", "/p/bin/python", LAYOUT, SOCKET)
    said = json.dumps(
        [line, variables(LAYOUT, SOCKET), clean_environment("/h", "u", "/bin/sh")]
    ).lower()
    assert "hashed_password" not in said
    assert "token=" not in said
    assert variables(LAYOUT, SOCKET)["JUPYTER_TOKEN_FILE"].endswith("/security/token")


@pytest.mark.parametrize("frontend", FRONTENDS)
@pytest.mark.parametrize(("transport", "port"), [("socket", 8888), ("tcp", 8888), ("tcp", 65535)])
def test_a_server_is_recognised_by_its_command_line(frontend, transport, port):
    launch = Launch(frontend, transport, port)
    assert launched(server_argv("/p/bin/python", LAYOUT, launch), {}, LAYOUT) == launch


def test_a_server_that_an_earlier_version_started_is_recognised():
    argv = server_argv("python", LAYOUT, SOCKET)
    before = ["python", "-I", "-m", *argv[argv.index("jupyterlab") :]]
    assert launched(before, {}, LAYOUT) == SOCKET


def test_a_front_end_starts_as_by_its_name_and_without_a_grammar(tmp_path):
    (tmp_path / "shown.py").write_text(
        "import json, sys\n"
        "grammars = sorted({'lark', 'rfc3987_syntax'} & set(sys.modules))\n"
        "checked = 'jsonschema._format' in sys.modules\n"
        "import rfc3987_syntax\n"
        "print(json.dumps([__name__, sys.argv, grammars, checked]))\n"
    )
    argv = server_argv(sys.executable, LAYOUT, SOCKET)
    run, options = argv[argv.index("-c") + 1], argv[argv.index("jupyterlab") + 1 :]
    command = [sys.executable, "-c", run, "shown", *options]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    name = str(tmp_path / "shown.py")
    assert json.loads(done.stdout) == ["__main__", [name, *options], [], True]


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["python", "-m"],
        ["python", "-m", "jupyterlab"],
        server_argv("python", replace(LAYOUT, name="other"), SOCKET),
        server_argv("python", replace(LAYOUT, home="/home/bob"), SOCKET),
        ["vim", LAYOUT.certificate],
        ["python", "-m", "http.server", f"--ServerApp.certfile={LAYOUT.certificate}"],
        [f"--ServerApp.certfile={LAYOUT.certificate}", "-m"],
    ],
)
def test_another_process_is_not_taken_for_our_server(argv):
    assert launched(argv, {}, LAYOUT) is None


@given(st.lists(st.text()))
def test_any_command_line_can_be_looked_at(argv):
    assert launched(argv, {}, LAYOUT) is None


ALL = Launch(
    "lab", "socket", 8888, modules=("gcc", "cuda/12.4"), threads=4, idle=7200, environments=True,
    cpu_limit=3600,
)  # fmt: skip


def test_all_that_a_server_was_asked_for_can_be_seen_on_it():
    argv, environment = server_argv("python", LAYOUT, ALL), variables(LAYOUT, ALL)
    assert launched(argv, environment, LAYOUT) == ALL
    told = {"modules": (), "threads": 0, "environments": False, "cpu_limit": 0}
    assert launched(argv, {}, LAYOUT) == replace(ALL, **told)


def test_an_idle_server_ends_its_kernels_and_terminals_first():
    asked = options(server_argv("python", LAYOUT, ALL))
    assert asked["ServerApp.shutdown_no_activity_timeout"] == "7200"
    assert asked["MappingKernelManager.cull_idle_timeout"] == "7200"
    assert asked["TerminalManager.cull_inactive_timeout"] == "7200"
    assert asked["MappingKernelManager.cull_interval"] == "300"
    assert "cull" not in " ".join(server_argv("python", LAYOUT, SOCKET)), "off by default"


def run_launch_line(shell, tmp_path, launch=SOCKET, **environment):
    """Run the real launch line with a program in the place of the server that shows what it got."""
    layout = Layout(str(tmp_path), "nbserver", "host", 1000)
    (tmp_path / "bin").mkdir(exist_ok=True)
    python = tmp_path / "bin" / "python"
    python.write_text('#!/bin/sh\nenv -0\nprintf "ARGV=%s\\0" "$*"\nprintf "CWD=%s\\0" "$(pwd)"\n')
    python.chmod(0o755)
    log = tmp_path / ".ipython/profile_nbserver/log/host/server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    line = launch_line(shell, str(python), layout, launch)
    ended = subprocess.Popen(
        line,
        env={**clean_environment(str(tmp_path), "alice", "/bin/zsh"), **environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert ended.wait(timeout=20) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(ended.pid, signal.SIGTERM)  # the follower of the log
    return dict(word.split("=", 1) for word in log.read_text().split("\0") if "=" in word)


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])
def test_the_server_gets_the_environment_that_we_decide(shell, tmp_path):
    (tmp_path / ".bashrc").write_text("export PERSONAL=1\n")
    (tmp_path / ".profile").write_text("export PERSONAL=1\n")
    found = run_launch_line(
        shell,
        tmp_path,
        PYTHONPATH="/evil",
        PYTHONHOME="/evil",
        JUPYTER_CONFIG_PATH="/evil",
        JUPYTER_TOKEN="evil",
        JUPYTER_CONFIG_DIR="/evil",
        JUPYTER_ALLOW_INSECURE_WRITES="1",
    )
    assert "/evil" not in found.values()
    assert "PERSONAL" not in found
    assert not {"JUPYTER_TOKEN", "JUPYTER_ALLOW_INSECURE_WRITES"} & set(found)
    assert found["JUPYTER_CONFIG_DIR"] == f"{tmp_path}/.ipython/profile_nbserver"
    assert found["TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR"] == "1"
    assert found["PATH"].split(":")[0] == f"{tmp_path}/bin"
    assert found["SHELL"] == "/bin/zsh"
    assert found["CWD"] == str(tmp_path)
    assert found["ARGV"].startswith("-I -c import runpy")
    assert ") jupyterlab --" in found["ARGV"]


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])
def test_libraries_get_as_many_threads_as_asked_unless_the_site_said_otherwise(shell, tmp_path):
    found = run_launch_line(shell, tmp_path, replace(SOCKET, threads=4), MKL_NUM_THREADS="1")
    assert found["OMP_NUM_THREADS"] == found["OPENBLAS_NUM_THREADS"] == "4"
    assert found["MKL_NUM_THREADS"] == "1"
    assert "OMP_NUM_THREADS" not in run_launch_line(shell, tmp_path, SOCKET)


OLD_TCL_MODULES = """() {
    case $2 in
        gcc) LOADEDMODULES=${LOADEDMODULES:+$LOADEDMODULES:}gcc/13; export LOADEDMODULES ;;
        *) echo "ModuleCmd_Load.c(213):ERROR:105: Unable to locate a modulefile for '$2'" >&2 ;;
    esac
}"""
NEW_MODULES = """() {
    [ "$2" = gcc ] || { echo "ERROR: Unable to locate a modulefile for '$2'" >&2; return 1; }
    LOADEDMODULES=${LOADEDMODULES:+$LOADEDMODULES:}gcc/13; export LOADEDMODULES
}"""


@pytest.mark.fault("F50 modules of a server")
@pytest.mark.parametrize("module", [OLD_TCL_MODULES, NEW_MODULES])
def test_modules_are_loaded_or_refused_whatever_exit_code_the_site_gives(module, tmp_path):
    function = {"BASH_FUNC_module%%": module}
    found = run_launch_line(
        "/bin/bash", tmp_path, replace(SOCKET, modules=("gcc", "gcc")), **function
    )
    assert found["LOADEDMODULES"].startswith("gcc/13")
    environment = {**clean_environment(str(tmp_path), "alice", "/bin/bash"), **function}
    for modules, code in ((["gcc"], 0), (["gcc", "cuda"], 1)):
        tried = subprocess.run(
            modules_line("/bin/bash", modules), env=environment, capture_output=True, check=False
        )
        assert tried.returncode == code
        assert (b"Unable to locate a modulefile for 'cuda'" in tried.stderr) == (code == 1)


def test_the_session_begins_with_nothing_of_the_connection_it_came_over(monkeypatch):
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/agent")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/evil")
    began = clean_environment("/home/alice", "alice", "/bin/bash")
    assert set(began) == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "TERM"}


def test_a_socket_path_of_107_bytes_is_the_longest():
    local = len("/tmp/-1000/notebook.sock")
    require_short_sockets(replace(LAYOUT, name="p" * (107 - local)))
    with pytest.raises(NotebookError, match="has 108 bytes, a socket's may have 107"):
        require_short_sockets(replace(LAYOUT, name="p" * (108 - local)))


@pytest.mark.parametrize(
    ("found", "mend", "note"),
    [
        (Found(SOCKET, session=True, tmux=True, noted=True), None, None),
        (Found(SOCKET, session=False, tmux=True, noted=True), "socket of its tmux", None),
        (Found(SOCKET, session=False, tmux=False, noted=True), None, None),
        (Found(SOCKET, session=True, tmux=True), None, "without a record"),
        (Found(), None, None),
    ],
)
def test_what_is_put_right_around_a_server_that_runs(found, mend, note):
    plan = decide("started", found)
    assert (mend or "") in (plan.mend or "")
    assert (note or "") in (plan.note or "")
    assert (plan.mend is None, plan.note is None) == (mend is None, note is None)
    stopped = decide("stopped", found)
    assert (stopped.mend, stopped.note) == (None, None), "nobody mends what is to be stopped"


@pytest.mark.parametrize(
    ("state", "running", "session", "past", "start", "stop"),
    [
        ("started", None, False, None, "not running", None),
        ("started", None, False, "the host was rebooted", "the host was rebooted", None),
        ("started", SOCKET, True, None, None, None),
        ("started", SOCKET, False, None, None, None),
        ("started", None, True, None, "had lost its server", "had lost its server"),
        ("stopped", None, False, "gone", None, None),
        ("stopped", SOCKET, True, None, None, "running"),
        ("stopped", SOCKET, False, None, None, "running"),
        ("stopped", None, True, None, None, "had lost its server"),
        ("restarted", SOCKET, True, None, "a restart was asked for", "a restart was asked for"),
        ("restarted", None, False, None, "not running", None),
        ("restarted", None, True, None, "had lost its server", "had lost its server"),
    ],
)
def test_the_reason_to_start_or_stop(state, running, session, past, start, stop):
    found_start, found_stop = (
        why_start(state, running, session, past),
        why_stop(state, running, session),
    )
    assert (start or "") in (found_start or "")
    assert (found_start is None) == (start is None)
    assert (stop or "") in (found_stop or "")
    assert (found_stop is None) == (stop is None)


@pytest.mark.parametrize(
    ("running", "wanted", "said"),
    [
        (SOCKET, SOCKET, None),
        (SOCKET, replace(SOCKET, port=9000), None),  # the port means nothing beside a socket
        (TCP, TCP, None),
        (TCP, replace(TCP, port=9001), "Jupyter Notebook on port 9000 is running already"),
        (
            SOCKET,
            replace(SOCKET, frontend="nbclassic"),
            "to have NbClassic over a socket",
        ),
        (SOCKET, TCP, "restart it to have Jupyter Notebook on port 9000"),
        (SOCKET, replace(SOCKET, modules=("gcc", "cuda")), "over a socket, with gcc cuda"),
        (SOCKET, replace(SOCKET, threads=4), "over a socket, 4 threads a kernel"),
        (SOCKET, replace(SOCKET, idle=60), "over a socket, ending after 60 idle seconds"),
        (SOCKET, replace(SOCKET, cpu_limit=90), "over a socket, counting up to 90 seconds of CPU"),
        (SOCKET, replace(SOCKET, environments=True), "with kernels of your environments"),
        (replace(SOCKET, idle=60), SOCKET, "restart it to have JupyterLab over a socket"),
    ],
)
def test_what_a_running_server_does_differently_is_said(running, wanted, said):
    found = difference(running, wanted)
    assert found is None if said is None else said in found


def test_a_record_is_read_as_it_was_written():
    assert server_record.parse(server_record.serialise(RECORD), "r") == RECORD


GOOD = json.loads(server_record.serialise(RECORD))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("\xff", "is not JSON"),
        ("[" * 100000, "is not JSON"),
        ("[]", "is not a record"),
        ("null", "is not a record"),
        ("{}", "is not of schema 6"),
        (json.dumps({**GOOD, "schema": 1}), "is not of schema 6"),
        (json.dumps({**GOOD, "schema": True}), "is not of schema 6"),
        (json.dumps({**GOOD, "more": 1}), "does not have the fields"),
        (json.dumps({**GOOD, "pid": "1; id"}), "does not have the fields"),
        (json.dumps({**GOOD, "pid": True}), "does not have the fields"),
        (json.dumps({**GOOD, "pid": 1.0}), "does not have the fields"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "pid"}), "does not have the fields"),
        (json.dumps({**GOOD, "frontend": "x"}), "names a front end or transport"),
        (json.dumps({**GOOD, "transport": "x"}), "names a front end or transport"),
    ],
)
def test_a_record_that_no_start_wrote_is_refused_with_a_way_out(content, said):
    with pytest.raises(NotebookError, match=said) as refused:
        server_record.parse(content.encode("latin-1"), "/run/host.json")
    assert str(refused.value).startswith("/run/host.json: ")
    assert "Remove this file and run again" in str(refused.value)


def say(argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)


def test_tmux_runs_exactly_the_words_it_is_given(tmp_path):
    out, socket = tmp_path / "out", str(tmp_path / "s")
    words = ["a b", "$(id)", "#{pane_id}", "x;", ";", "'\"", "", "-d", "ü", "\\;"]
    argv = ["sh", "-c", 'printf "%s\\n" "$@" >"$0.new"; mv "$0.new" "$0"', str(out), *words]
    made = say(tmux.new_session(socket, "s", argv))
    assert made.returncode == 0, made.stderr
    assert int(made.stdout) > 1
    for _attempt in range(100):
        if out.exists():
            break
        subprocess.run(["sleep", "0.05"], check=True)
    assert out.read_text() == "".join(f"{word}\n" for word in words)


def test_tmux_tells_the_pids_of_our_session_only_and_ends_it(tmp_path):
    socket = str(tmp_path / "s")
    try:
        pid = say(tmux.new_session(socket, "nb", ["sleep", "60"])).stdout
        say(tmux.new_session(socket, "nb2", ["sleep", "60"]))
        assert say(tmux.pane_pids(socket, "nb")).stdout == pid
        assert say(tmux.pane_pids(socket, "n")).returncode == 1
        say(tmux.kill_session(socket, "nb"))
        assert say(tmux.pane_pids(socket, "nb")).returncode == 1
        assert say(tmux.pane_pids(socket, "nb2")).returncode == 0
    finally:
        say(["tmux", "-S", socket, "kill-server"])


def test_a_trial_lies_where_its_server_lies_whatever_tells_the_place():
    values = {each.name: each.name if each.type == "str" else 1 for each in fields(Layout)}
    layout = Layout(**values)
    trial = layout.beside()
    assert vars(trial) == values
    assert (trial.local, trial.record) == (layout.local, layout.record)
    assert not {trial.socket, trial.runtime, trial.log} & {
        layout.socket, layout.runtime, layout.log,
    }  # fmt: skip
    assert max(len(trial.socket), len(trial.runtime)) <= len(layout.socket)

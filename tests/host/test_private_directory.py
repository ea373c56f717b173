"""No kernel takes its sockets and its key from a place that a neighbour can write to."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.kernel_launcher import launcher
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.private_directory import (
    PRIVATE_DIRECTORY,
)
from jupyter_client import BlockingKernelClient
from servers import TOKEN

NEIGHBOUR = 64901
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed")
KEY = "b7e0c6d5-8a6d-4a64-9ff0-65f7e2a3c111"


def own(path, uid=NEIGHBOUR):
    os.chown(path, uid, uid, follow_symlinks=False)


def require_private(path):
    found = {"os": os, "stat": stat}
    exec(PRIVATE_DIRECTORY, found)
    found["require_private"](str(path))


@pytest.fixture
def runtime(tmp_path):
    """As start makes it: a directory of ours in one of ours."""
    for path in (tmp_path / "local", tmp_path / "local" / "runtime"):
        path.mkdir(mode=0o700)
    return tmp_path / "local" / "runtime"


def remade(runtime):
    """What a neighbour makes after a sweep, with a runtime directory that is really ours."""
    own(runtime.parent)


def linked(runtime):
    shutil.move(runtime, runtime.parent / "elsewhere")
    runtime.symlink_to("elsewhere")
    own(runtime)


def linked_above(runtime):
    shutil.move(runtime.parent, runtime.parent.parent / "elsewhere")
    runtime.parent.symlink_to("elsewhere")
    own(runtime.parent)


def a_file(runtime):
    runtime.rmdir()
    runtime.touch(mode=0o700)


BAD = {
    "others may read it": lambda runtime: runtime.chmod(0o755),
    "others may write it": lambda runtime: runtime.chmod(0o777),
    "its group may write it": lambda runtime: runtime.chmod(0o770),
    "sticky and open": lambda runtime: runtime.chmod(0o1777),
    "of somebody else": own,
    "in a directory of somebody else": remade,
    "in a directory that others may write": lambda runtime: runtime.parent.chmod(0o777),
    "behind the link of somebody else": linked,
    "behind the link of somebody else above": linked_above,
    "no directory": a_file,
    "missing": lambda runtime: runtime.rmdir(),
}


def test_a_directory_of_ones_own_is_private(runtime):
    require_private(runtime)


def test_a_sticky_directory_of_the_system_above_is_as_good_as_tmp(runtime):
    runtime.parent.parent.chmod(0o1777)
    require_private(runtime)


@pytest.mark.usefixtures("runtime")
def test_a_link_of_ones_own_or_of_the_system_is_followed(tmp_path):
    (tmp_path / "link").symlink_to("local")
    require_private(tmp_path / "link" / "runtime")


@as_root
@pytest.mark.parametrize("damage", BAD.values(), ids=BAD)
def test_a_directory_that_a_neighbour_can_get_at_is_refused(runtime, damage):
    damage(runtime)
    with pytest.raises(OSError, match=r"yours alone|others can|No such file"):
        require_private(runtime)


def connection_file(runtime):
    path = runtime / "kernel-1.json"
    info = {"transport": "ipc", "ip": str(runtime / "kernel-1-ipc"), "key": KEY,
            "signature_scheme": "hmac-sha256", "kernel_name": "python3"}  # fmt: skip
    ports = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
    info.update({name: number for number, name in enumerate(ports, 1)})
    path.write_text(json.dumps(info))
    path.chmod(0o600)
    return path


def swapped(path):
    path.rename(path.with_suffix(".hers"))
    path.symlink_to(path.with_suffix(".hers"))


FILES = {
    "of somebody else": own,
    "others may write it": lambda path: path.chmod(0o666),
    "others may read it": lambda path: path.chmod(0o644),
    "a link": swapped,
    "in an open directory": lambda path: path.parent.chmod(0o777),
    "in a directory of somebody else": lambda path: own(path.parent),
    "not json": lambda path: path.write_text("x"),
}


def kernel(tmp_path, path):
    program = tmp_path / "launch.py"
    program.write_text(launcher())
    environment = {
        "HOME": str(tmp_path), "PATH": os.environ["PATH"], "IPYTHONDIR": str(tmp_path),
        "JUPYTER_RUNTIME_DIR": str(path.parent),
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, str(program), "-f", str(path)], env=environment, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@as_root
@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
def test_a_kernel_refuses_a_connection_file_of_others_in_one_line(runtime, tmp_path, damage):
    path = connection_file(runtime)
    damage(path)
    started = kernel(tmp_path, path)
    _out, said = started.communicate(timeout=60)
    assert started.returncode == 1
    assert said.splitlines()[-1].startswith("hpcc.notebook: no kernel is started: ")
    assert "Traceback" not in said
    assert not list(runtime.glob("*-ipc*"))


def test_a_kernel_starts_with_a_connection_file_of_ones_own(runtime, tmp_path):
    started = kernel(tmp_path, connection_file(runtime))
    deadline = time.monotonic() + 60
    try:
        while not (runtime / "kernel-1-ipc-1").is_socket():
            assert started.poll() is None, started.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        started.kill()
        started.communicate()


FORK = """
import multiprocessing
forked = multiprocessing.get_context("fork").Process(target=print, args=("of a fork",))
forked.start(); forked.join()
"""


def printed(client, code):
    """What a kernel prints until it is idle again."""
    asked_for, said = client.execute(code), ""
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == asked_for:
            said += message["content"].get("text", "")
            if message["content"].get("execution_state") == "idle":
                return said


@contextlib.contextmanager
def computing(started, path):
    """Somebody who talks to a kernel, from its first heartbeat on; earlier, a client gives up."""
    client = BlockingKernelClient(connection_file=str(path))
    try:
        client.load_connection_file()
        while not path.with_name("kernel-1-ipc-5").is_socket():
            assert started.poll() is None, started.stderr.read()
            time.sleep(0.1)
        client.start_channels()
        client.wait_for_ready(timeout=120)
        yield client
    finally:
        client.stop_channels()
        started.kill()
        started.communicate()


@as_root
def test_what_is_typed_is_not_noted_in_a_directory_of_a_neighbour(runtime, tmp_path):
    settings = tmp_path / "profile_default" / "ipython_kernel_config.py"
    settings.parent.mkdir()
    # With text for a path, some versions of IPython fail before they open it again.
    as_path = (
        "import pathlib\nwhere = c.HistoryManager\nwhere.hist_file = pathlib.Path(where.hist_file)"
    )
    settings.write_text(f"{profile.KERNEL_CONFIG}\n{as_path}\n")
    path = connection_file(runtime)
    with computing(kernel(tmp_path, path), path) as client:
        printed(client, "typed_before = 1")
        assert (runtime / "history.sqlite").exists()
        runtime.parent.rename(tmp_path / "swept")
        runtime.mkdir(parents=True)
        for each in (runtime.parent, runtime):
            own(each)
            each.chmod(0o777)
        for _each in range(4):
            printed(client, "typed_afterwards = 1")
            printed(client, "%history -g typed")
        assert list(runtime.iterdir()) == []


@as_root
def test_what_a_fork_prints_goes_to_no_socket_of_a_neighbour(runtime, tmp_path):
    path = connection_file(runtime)
    with computing(kernel(tmp_path, path), path) as client:
        assert "of a fork" in printed(client, FORK)
        runtime.parent.rename(tmp_path / "swept")
        runtime.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(runtime / "kernel-1-ipc-6"))
            listener.listen()
            assert "of a fork" in printed(client, FORK)
            assert not select.select([listener], [], [], 1)[0]


def asked(owner, port, *more, at="/api/kernels"):
    """What the server says to its owner."""
    return owner.run(
        *("curl", "-sS", "--cacert", str(owner.security / "notebook.crt")),
        *("-H", f"Authorization: token {TOKEN}", *more, f"https://localhost:{port}{at}"),
    )


@pytest.fixture
def served(owner, free_port):
    """A server over TCP with the configuration of setup, and a kernel of another environment."""
    layout = profile.Layout(str(owner.home), owner.profile)
    text = profile.server_config(layout, "~", {})
    owner.write(owner.directory / "jupyter_server_config.py", text)
    for part in ("jupyter", "jupyter/kernels", "jupyter/kernels/other", "jupyter/kernels/python3"):
        (owner.directory / part).mkdir(mode=0o755)
    ours = profile.kernel_spec(layout, owner.python)
    argv = [owner.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    other = json.dumps({"argv": argv, "display_name": "other", "language": "python"})
    owner.write(owner.directory / profile.KERNEL_SPEC, ours, 0o644)
    owner.write(owner.directory / profile.KERNEL_LAUNCHER, launcher(), 0o644)
    owner.write(owner.directory / "jupyter/kernels/other/kernel.json", other, 0o644)
    owner.server(transport="tcp", port=free_port)

    def begin(name):
        """The status with which a kernel is refused or started."""
        wanted = ("-d", json.dumps({"name": name}))
        return asked(owner, free_port, "-m60", "-o/dev/null", "-w%{http_code}", *wanted)

    yield owner, begin
    if owner.local.stat().st_uid == NEIGHBOUR:
        shutil.rmtree(owner.local)


def made_again(owner):
    """The neighbour was quick after a sweep of /tmp."""
    shutil.rmtree(owner.local)
    for path in (owner.local, owner.local / "runtime"):
        path.mkdir()
        path.chmod(0o777)
        own(path)


@contextlib.contextmanager
def listening(owner, kernel, channel=1):
    """The neighbour at a socket of a kernel; gives who has come there within some seconds."""
    with socket.socket(socket.AF_UNIX) as listener:
        path = owner.local / "runtime" / f"kernel-{kernel}-ipc-{channel}"
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen()
        yield lambda seconds: bool(select.select([listener], [], [], seconds)[0])


def page(owner, port, kernel, seconds):
    """A page that is opened on a kernel, until curl has had enough."""
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    headers = [word for header in upgrade for word in ("-H", header)]
    at = f"/api/kernels/{kernel}/channels"
    with contextlib.suppress(subprocess.CalledProcessError):
        asked(owner, port, "--http1.1", f"-m{seconds}", *headers, at=at)


def heard(owner, port, kernel):
    """Whether the neighbour, at a kernel's sockets, is spoken to when its page is opened."""
    with listening(owner, kernel) as came:
        page(owner, port, kernel, 6)
        return came(0)


@contextlib.contextmanager
def opened(owner, port, kernel):
    """The same page, known to be connected, while something happens."""
    with ThreadPoolExecutor() as pool:
        pool.submit(page, owner, port, kernel, 25)
        deadline = time.monotonic() + 20
        while not json.loads(asked(owner, port, at=f"/api/kernels/{kernel}"))["connections"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield


def killed(kernel):
    """The process of a kernel, by its connection file, as the kernel of the system would do it."""
    for argv in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"kernel-{kernel}.json" in argv.read_text():
                os.kill(int(argv.parent.name), signal.SIGKILL)


@as_root
@pytest.mark.timeout(300)
def test_a_server_says_nothing_to_new_sockets_in_the_place_of_a_kernels(served, free_port):
    owner, begin = served
    assert [begin("python3"), begin("python3")] == ["201", "201"]
    first, second = (kernel["id"] for kernel in json.loads(asked(owner, free_port)))
    assert heard(owner, free_port, first), "not even in a directory of its own: this shows nothing"
    made_again(owner)
    assert not heard(owner, free_port, second)
    assert "no kernel is reached" in owner.log


@as_root
@pytest.mark.timeout(300)
def test_a_connection_that_breaks_is_not_made_anew_to_a_neighbours_socket(served, free_port):
    owner, begin = served
    assert [begin("python3"), begin("other")] == ["201", "201"]
    first, second = (kernel["id"] for kernel in json.loads(asked(owner, free_port)))
    with opened(owner, free_port, first), listening(owner, first) as came:
        killed(first)
        assert came(10), "no connection is made anew: this shows nothing"
    with opened(owner, free_port, second):
        made_again(owner)
        with listening(owner, second) as came:
            killed(second)
            assert not came(10)


NOTEBOOK = {"type": "notebook", "format": "json", "content": {
    "cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}}  # fmt: skip


def saved(owner, port):
    """The status with which a notebook is saved."""
    words = ("-m60", "-o/dev/null", "-w%{http_code}", "-XPUT", "-d", json.dumps(NOTEBOOK))
    return asked(owner, port, *words, at="/api/contents/a.ipynb")


@as_root
@pytest.mark.timeout(300)
@pytest.mark.parametrize("before", [True, False], ids=["known before", "first seen afterwards"])
def test_a_notebook_is_saved_and_no_link_of_a_neighbour_followed(served, free_port, before):
    owner, _begin = served
    assert not before or saved(owner, free_port) in ("200", "201")
    made_again(owner)
    victim = owner.home / "made-through-a-link"
    (owner.local / "runtime" / "nbsignatures.db").symlink_to(victim)
    assert saved(owner, free_port) in ("200", "201")
    assert not victim.exists()


@as_root
@pytest.mark.timeout(300)
def test_a_server_writes_no_connection_file_where_a_neighbour_has_made_the_directory_again(served):
    owner, begin = served
    assert begin("other") == "201"
    made_again(owner)
    assert [begin(name) for name in ("python3", "other")] == ["503", "503"]
    assert list((owner.local / "runtime").iterdir()) == []
    said = [line for line in owner.log.splitlines() if "no kernel is started" in line]
    assert said
    assert all("restart the server" in line for line in said)


@pytest.mark.timeout(300)
def test_a_server_makes_its_directory_again_when_nobody_else_has(served):
    owner, begin = served
    shutil.rmtree(owner.local)
    assert [begin(name) for name in ("python3", "other")] == ["201", "201"]
    for path in (owner.local, owner.local / "runtime"):
        assert path.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_uid == owner.uid

"""A neighbour who takes the name of our node-local directory costs us nothing but that name."""

import json
import os
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from modules import ModuleFailed
from servers import TOKEN

NEIGHBOUR = 64901
pytestmark = [
    pytest.mark.timeout(300),  # several starts, on a machine that may be busy
    pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed"),
]


def own(path, uid=NEIGHBOUR):
    os.chown(path, uid, uid, follow_symlinks=False)


def directory(mode):
    def plant(path):
        path.mkdir()
        path.chmod(mode)
        own(path)

    return plant


def link(path):
    path.symlink_to("/var/tmp")
    own(path)


def file(path):
    path.write_text("mine")
    own(path)


def fifo(path):
    os.mkfifo(path, 0o666)
    own(path)


PLANTS = [directory(0o777), directory(0o755), directory(0o700), link, file, fifo]


def remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def listening(path):
    """Sockets of the neighbour, and how often somebody spoke to each."""
    heard = []

    def serve(held):
        while True:
            try:
                connection = held.accept()[0]
            except OSError:
                return
            connection.settimeout(2)
            try:
                heard.append((held.getsockname(), connection.recv(64)))
            except OSError:
                heard.append((held.getsockname(), b""))
            connection.close()

    sockets = []
    for name in ("tmux.sock", "notebook.sock"):
        held = socket.socket(socket.AF_UNIX)
        held.bind(str(path / name))
        held.listen(8)
        (path / name).chmod(0o777)
        own(path / name)
        threading.Thread(target=serve, args=(held,), daemon=True).start()
        sockets.append(held)
    yield heard
    for held in sockets:
        held.shutdown(socket.SHUT_RDWR)
        held.close()


@pytest.fixture
def owner(owner):
    yield owner
    remove(owner.local)


def test_a_neighbour_who_takes_every_name_that_she_has_seen_does_not_use_them_up(owner):
    taken = [owner.local]
    try:
        for _round in range(8):
            directory(0o755)(taken[-1])
            place = Path(owner.server(check=True)["socket"]).parent
            assert place not in taken
            taken.append(place)
    finally:
        for path in taken:
            remove(path)


@pytest.mark.parametrize("plant", PLANTS, ids=range(len(PLANTS)))
def test_with_a_planted_directory_a_server_is_started_found_and_stopped(owner, plant):
    plant(owner.local)
    before = owner.local.lstat()
    checked, started = owner.server(check=True), owner.server()
    assert checked["socket"] == started["socket"]
    place = Path(started["socket"]).parent
    assert place != owner.local
    assert place.stat().st_mode & 0o777 == 0o700
    assert f"{place} is used instead" in json.dumps(started["warnings"])
    again = owner.server()
    assert (again["changed"], again["pid"], again["socket"]) == (
        False,
        started["pid"],
        str(place / "notebook.sock"),
    )
    told = owner.info()
    assert told["servers"][0]["state"] == "running"
    assert any(f"{place} is used instead" in line for line in told["damaged"])
    assert owner.server(state="stopped")["stopped_by"] == "it shut down cleanly"
    assert owner.processes() == []
    assert owner.server(state="absent")["state"] == "stopped"
    assert owner.others() == []
    assert owner.local.lstat().st_mtime == before.st_mtime


def test_when_the_other_name_was_taken_too_there_is_one_more(owner):
    directory(0o755)(owner.local)
    first = Path(owner.server()["socket"]).parent
    owner.server(state="absent")
    directory(0o777)(first)
    try:
        started = owner.server()
        assert Path(started["socket"]).parent not in (first, owner.local)
    finally:
        remove(first)


def test_the_server_is_found_again_when_the_planted_directory_has_gone(owner):
    directory(0o755)(owner.local)
    started = owner.server()
    remove(owner.local)
    assert owner.server()["pid"] == started["pid"]
    owner.record.unlink()
    assert owner.server(state="stopped")["stopped_by"] == "it shut down cleanly"
    assert owner.processes() == []


def test_two_starts_beside_a_planted_directory_start_one_server(owner):
    directory(0o777)(owner.local)
    both = [owner.begin(), owner.begin()]
    first, second = (owner.finish(each) for each in both)
    assert first["pid"] == second["pid"]


@pytest.mark.parametrize("transport", ["socket", "tcp"])
def test_a_directory_that_was_swept_and_made_again_by_a_neighbour(owner, free_port, transport):
    started = owner.server(transport=transport, port=free_port)
    shutil.rmtree(owner.local)
    owner.local.mkdir(mode=0o755)
    own(owner.local)
    with listening(owner.local) as heard:
        began = time.monotonic()
        if transport == "socket":
            with pytest.raises(ModuleFailed, match=f"belongs to uid {NEIGHBOUR} took the place"):
                owner.server()
        else:
            said = owner.server(transport="tcp", port=free_port)["warnings"]
            assert "no new kernel is started there" in json.dumps(said)
        assert time.monotonic() - began < 15
        told = owner.info()["servers"][0]
        assert told["pid"] == started["pid"]
        again = owner.server(state="restarted", transport=transport, port=free_port)
        assert again["pid"] != started["pid"]
        assert owner.server(state="stopped")["state"] == "stopped"
        assert [said for _where, said in heard if said] == []
        assert [where for where, _said in heard if where.endswith("tmux.sock")] == []
    assert owner.processes() == []


def test_a_stop_works_from_the_process_when_the_directory_is_foreign(owner):
    owner.server()
    shutil.rmtree(owner.local)
    directory(0o700)(owner.local)
    owner.record.unlink()
    assert owner.server(state="stopped")["stopped_by"].endswith("was needed")
    assert owner.processes() == []


@pytest.mark.fault("a foreign tmux")
def test_what_a_neighbour_left_in_a_directory_that_was_open_is_never_asked(owner):
    owner.local.mkdir(mode=0o700)
    own(owner.local, owner.uid)
    with listening(owner.local) as heard:
        for mode in (0o777, 0o700):
            owner.local.chmod(mode)
            started = owner.server()
            assert Path(started["socket"]).parent != owner.local
            owner.server(state="stopped")
        assert heard == []


def test_a_directory_that_is_open_and_holds_nothing_foreign_is_closed(owner):
    owner.local.mkdir(mode=0o755)
    own(owner.local, owner.uid)
    assert owner.server()["socket"] == f"{owner.local}/notebook.sock"
    assert owner.local.stat().st_mode & 0o777 == 0o700


@pytest.mark.fault("a directory for the lock")
def test_a_directory_in_the_place_of_the_lock_is_told_in_one_line(owner):
    for path in (owner.local, owner.local / "lock"):
        path.mkdir(mode=0o700)
        own(path, owner.uid)
    with pytest.raises(ModuleFailed, match=r"lock: is a directory\. Move it away"):
        owner.server()


@pytest.mark.fault("a swept socket")
def test_a_socket_that_was_swept_under_a_living_server_is_known_at_once(owner):
    started = owner.server()
    (owner.local / "notebook.sock").unlink()
    began = time.monotonic()
    with pytest.raises(
        ModuleFailed, match=r"its socket was removed\. Restart it: ansible-playbook"
    ):
        owner.server()
    assert time.monotonic() - began < 10
    told = owner.info()["servers"][0]
    assert told["state"] == "silent"
    assert "its socket was removed" in told["notes"][0]
    again = owner.server(state="restarted")
    assert again["pid"] != started["pid"]
    assert '"kernels"' in owner.curl("/api/status", "-H", f"Authorization: token {TOKEN}")


def test_a_fork_of_a_server_that_has_gone_is_not_taken_for_it(owner):
    owner.write(
        owner.directory / "jupyter_server_config.py",
        "import os, time\nif os.fork() == 0:\n    time.sleep(300)\n    os._exit(0)\n",
    )
    started = owner.server()
    os.kill(started["pid"], 9)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{started['pid']}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    owner.write(owner.directory / "jupyter_server_config.py", "c = get_config()\n")
    assert owner.server()["pid"] != started["pid"]

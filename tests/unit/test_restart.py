"""A restart that cannot succeed ends nothing: the old server answers every request meanwhile."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils.profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils.profile.layout import KERNEL_SPEC
from modules import ModuleFailed
from servers import TOKEN, Account, new_account

pytestmark = pytest.mark.timeout(600)  # several starts, on a machine that may be busy


ASKED = f"GET /api/status HTTP/1.0\r\nHost: localhost\r\nAuthorization: token {TOKEN}\r\n\r\n"


def status(path: str, context: ssl.SSLContext) -> str:
    """The first line of what the server says to one who knows the token."""
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(30)
        plain.connect(path)
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            secured.sendall(ASKED.encode())
            return secured.makefile("rb").readline().decode()


@contextmanager
def requests(account: Account) -> Iterator[list[str]]:
    """Ask the server all the time, with the token; what failed is in the list."""
    failed: list[str] = []
    asked = [0]
    end = threading.Event()
    context = ssl.create_default_context(cafile=str(account.security / "notebook.crt"))

    def ask() -> None:
        while not end.wait(0.05):
            asked[0] += 1
            try:
                said = status(str(account.local / "notebook.sock"), context)
            except OSError as error:  # a request that a person would have missed
                said = repr(error)
            failed.extend([said] if " 200 " not in said else [])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield failed
    finally:
        end.set()
        thread.join()
        assert asked[0] > 3


@pytest.fixture(scope="module")
def serving(everybodys_python: str) -> Iterator[tuple[Account, dict[str, Any]]]:
    """One server for all that fails, because none of that may touch it."""
    account = new_account(everybodys_python)
    yield account, account.server(timeout=120)
    account.clean_up()


@contextmanager
def instead(account: Account, path: Path, content: str) -> Iterator[None]:
    """Another content of a file, for a while."""
    before = path.read_bytes() if path.exists() else None
    account.write(path, content)
    try:
        yield
    finally:
        if before is None:
            path.unlink()
        else:
            account.write(path, before)


def configured(line: str) -> tuple[str, str]:
    return "jupyter_server_config.py", f"c = get_config()\n{line}\n"


# A change of each kind that a server may be given, none of which it could serve with.
FAILING: dict[str, tuple[tuple[str, str] | None, dict[str, Any], str]] = {
    "a text for a number": (
        configured("c.ServerApp.max_body_size = 'abc'"), {}, "expected an int"
    ),
    "an option that there is not": (
        configured("c.ServerApp.no_such_trait = 1"), {}, "not recognized by `ServerApp`"
    ),
    "a directory that is missing": (
        configured("c.FileContentsManager.preferred_dir = '/no/such'"), {}, "not found"
    ),
    "another address": (configured("c.ServerApp.base_url = '/other/'"), {}, "404 instead of 403"),
    "a program that ends": (configured("raise SystemExit(3)"), {}, "the server ended"),
    "an extension that is gone": (
        configured("c.ServerApp.kernel_manager_class = 'gone.Gone'"), {}, "imported"
    ),
    "a root directory that is gone": (
        configured("c.ServerApp.root_dir = '/no/such'"), {}, "the server ended"
    ),
    "a kernel's Python that is gone": ((KERNEL_SPEC, "/no/such"), {}, "no kernel can be started"),
    "a kernel without its packages": ((KERNEL_SPEC, "/bin/false"), {}, "no kernel can be started"),
    "a password file that is damaged": (("jupyter_server_config.json", "{"), {}, "is damaged"),
    "a module that there is not": (None, {"modules": ["gone/1.0"]}, "cannot be loaded"),
    "a port that is taken": (None, {"transport": "tcp"}, "taken"),
    "a time that is too short": (None, {"timeout": 1, "frontend": "nbclassic"}, "within 1 seconds"),
}  # fmt: skip


def kernel(account: Account, python: str) -> str:
    """A kernel specification; the usual one is IPython's own."""
    place = account.directory / "jupyter/kernels/python3"
    for directory in reversed([place, *place.parents[:2]]):
        directory.mkdir(exist_ok=True)
        os.chown(directory, account.uid, -1)
    return json.dumps(
        {"argv": [python, "-f", "{connection_file}"], "display_name": "x", "language": "python"}
    )


@pytest.mark.parametrize(("file", "params", "words"), FAILING.values(), ids=FAILING)
def test_a_restart_that_cannot_succeed_costs_no_request(serving, file, params, words):
    account, started = serving
    name, content = file or ("unused", "")
    content = kernel(account, content) if name == KERNEL_SPEC else content
    with socket.create_server(("127.0.0.1", 0)) as taken:
        more = {"port": taken.getsockname()[1]} if "transport" in params else {}
        with (
            instead(account, account.directory / name, content),
            requests(account) as failed,
            pytest.raises(ModuleFailed) as refused,
        ):
            account.server(state="restarted", **{"timeout": 120, **params, **more})
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert failed == []
    assert account.info()["servers"][0]["pid"] == started["pid"]
    assert not (account.local / "trial").exists()
    assert not (account.local / "trial.sock").exists()


def test_a_restart_that_succeeds_is_tried_first_and_leaves_no_trial(owner):
    before = owner.server(timeout=120)
    options = "c = get_config()\nc.MappingKernelManager.cull_idle_timeout = 9999\n"
    owner.write(owner.directory / "jupyter_server_config.py", options)
    after = owner.server(state="restarted", frontend="notebook", threads=2, timeout=120)
    assert after["pid"] != before["pid"]
    assert after["frontend"] == "notebook"
    assert not list(owner.local.glob("trial*"))
    assert not list((owner.directory / "log").glob("*/trial.log"))
    assert not list((owner.directory / "log").glob("*/kernel.log"))
    owner.server(state="absent", timeout=120)
    assert owner.processes() == []


def test_a_start_without_a_kernel_is_none(owner):
    owner.write(owner.directory / "jupyter_server_config.py", "c = get_config()\n")
    spec = kernel(owner, "/no/such")
    owner.write(owner.directory / KERNEL_SPEC, spec)
    with pytest.raises(ModuleFailed, match=r"no kernel can be started: .*No such file"):
        owner.server(timeout=120)
    assert owner.processes() == []


def test_a_run_that_is_killed_in_its_trial_leaves_no_second_server(owner):
    before = owner.server(timeout=120)
    run = owner.begin(state="restarted", timeout=120)
    until = time.monotonic() + 60
    while not (owner.local / "trial.sock").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    run.kill()
    run.communicate()
    trial = str(owner.local / "trial.sock")
    while any(trial in Path(f"/proc/{pid}/cmdline").read_text() for pid in owner.processes()):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert owner.server(timeout=120)["pid"] == before["pid"]


@pytest.mark.parametrize("mode", [None, 0o300, 0o600])
def test_a_root_directory_that_is_gone_or_closed_is_named_before_a_start(owner, mode):
    root = owner.home / "notebooks"
    if mode is not None:
        root.mkdir()
        root.chmod(mode)
        os.chown(root, owner.uid, -1)
    text = profile.server_config(profile.Layout(str(owner.home), owner.profile), "~/notebooks", {})
    owner.write(owner.directory / "jupyter_server_config.py", text)
    with pytest.raises(ModuleFailed) as refused:
        owner.server()
    words = "is gone" if mode is None else "you may not list"
    assert str(refused.value).startswith(f"{root}: ")
    assert words in str(refused.value)
    assert owner.processes() == []

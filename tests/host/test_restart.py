"""A restart that cannot succeed ends nothing: the old server answers every request meanwhile."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import KERNEL_SPEC
from modules import ModuleFailed
from servers import TOKEN, Account, new_account
from serving import instead, planted, requests

pytestmark = pytest.mark.timeout(600)  # several starts, on a machine that may be busy


@pytest.fixture(scope="module")
def serving(everybodys_python: str) -> Iterator[tuple[Account, dict[str, Any]]]:
    """One server for all that fails, because none of that may touch it."""
    account = new_account(everybodys_python)
    yield account, account.server(timeout=120)
    account.clean_up()


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
    "a time that is too short": (
        configured("import time; time.sleep(5)"), {"timeout": 1}, "within 1 seconds"
    ),
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


@pytest.mark.fault("a restart with it")
@pytest.mark.parametrize(("file", "params", "words"), FAILING.values(), ids=FAILING)
def test_a_restart_that_cannot_succeed_costs_no_request(serving, file, params, words):
    account, started = serving
    name, content = file or ("unused", "")
    content = kernel(account, content) if name == KERNEL_SPEC else content
    with socket.create_server(("127.0.0.1", 0)) as taken:
        more = {"port": taken.getsockname()[1]} if "transport" in params else {}
        with requests(account) as asked, instead(account, account.directory / name, content):
            refused(account, **{"timeout": 120, **params, **more}, words=words)
    assert asked.failed == []
    goes_on(account, started)


def refused(account: Account, words: str, **params: Any) -> None:
    with pytest.raises(ModuleFailed) as failed:
        account.server(state="restarted", **params)
    assert words in str(failed.value)
    assert "\n" not in str(failed.value)


def goes_on(account: Account, started: dict[str, Any]) -> None:
    """The server of before, and nothing of the trial."""
    assert account.info()["servers"][0]["pid"] == started["pid"]
    assert not (account.local / "trial").exists()
    assert not (account.local / "trial.sock").exists()


def broken(package: str) -> Callable[[Account], AbstractContextManager[None]]:
    return lambda account: planted(account, package, "raise ImportError('no good')\n")


# The same of what does not stand in one file of the profile.
MORE_FAILING: dict[str, tuple[Callable[[Account], Any], dict[str, Any], str]] = {
    "a package that cannot be imported": (broken("jupyterlab_server"), {}, "no good"),
    "a package of another front end": (broken("nbclassic"), {"frontend": "nbclassic"}, "no good"),
    "a package of the kernel": (broken("ipykernel"), {}, "no kernel can be started"),
    "no password": (
        lambda account: instead(account, account.directory / "jupyter_server_config.json", "{}"),
        {}, "password",
    ),
    "a number of threads that is none": (lambda _account: ExitStack(), {"threads": -1}, "threads"),
}  # fmt: skip


@pytest.mark.fault("a restart with anything else")
@pytest.mark.parametrize(
    ("change", "params", "words"), MORE_FAILING.values(), ids=list(MORE_FAILING)
)
def test_nor_does_one_with_anything_else_that_cannot_work(serving, change, params, words):
    account, started = serving
    with requests(account) as asked, change(account):
        refused(account, words=words, timeout=120, **params)
    assert asked.failed == []
    goes_on(account, started)


# A server reads its certificate anew for each connection: what was written would be live at once.
@pytest.mark.parametrize("bad", [{"key_size": 100}, {"days": 9999}, {"names": ["no name"]}])
def test_a_certificate_that_cannot_be_made_leaves_the_one_that_is_served(serving, bad):
    account, started = serving
    before = (account.security / "notebook.crt").read_bytes()
    with requests(account) as asked, pytest.raises(ModuleFailed):
        account.finish(account.begin(module="notebook_certificate", **bad))
    assert asked.failed == []
    assert (account.security / "notebook.crt").read_bytes() == before
    goes_on(account, started)


@pytest.fixture(scope="module")
def changing(everybodys_python: str) -> Iterator[Account]:
    """One server for all changes that work, one after the other."""
    account = new_account(everybodys_python)
    account.server(timeout=120)
    yield account
    account.clean_up()


EXTENSION = """
def _load_jupyter_server_extension(app):
    app.web_app.settings["headers"] = {"X-Extension": "loaded"}
"""
AUTHORIZED = ("-H", f"Authorization: token {TOKEN}")


def answers(account: Account, path: str, *options: str) -> str:
    """Head and body."""
    return account.curl(path, "-i", *AUTHORIZED, *options)


def logs_in(account: Account, password: str) -> bool:
    """As a browser does."""
    jar = str(account.home / "jar")
    account.curl("/login", "-c", jar)
    xsrf = next(line.split()[-1] for line in Path(jar).read_text().splitlines() if "_xsrf" in line)
    form = ("-d", f"password={password}", "-d", f"_xsrf={xsrf}")
    return " 302 " in account.curl("/login", "-i", "-b", jar, "-c", jar, *form).split("\n")[0]


def another_password(account: Account) -> None:
    from jupyter_server.auth import passwd

    text = json.dumps({"PasswordIdentityProvider": {"hashed_password": passwd("another one")}})
    account.write(account.directory / "jupyter_server_config.json", text)


def over_tcp(account: Account, port: int) -> str:
    return account.run(
        "curl", "-sS", "--cacert", str(account.security / "notebook.crt"), *AUTHORIZED,
        "--resolve", f"localhost:{port}:127.0.0.1", f"https://localhost:{port}/api/status",
    )  # fmt: skip


def with_line(line: str) -> Callable[[Account], None]:
    name, text = configured(line)
    return lambda account: account.write(account.directory / name, text)


def nothing(_account: Account) -> None:
    """What is asked for changes everything."""


# Kind of change → what is written, what is asked for, and how it shows afterwards.
WORKING: dict[str, tuple[Callable[[Account], None], dict[str, Any], Callable[..., bool]]] = {
    "a package": (
        with_line("c.ServerApp.jpserver_extensions = {'hpcc_extension': True}"), {},
        lambda account, _after: "X-Extension: loaded" in answers(account, "/api/status"),
    ),
    "an option": (
        with_line("c.ServerApp.terminals_enabled = False"), {},
        lambda account, _after: " 404 " in answers(account, "/api/terminals").split("\n")[0],
    ),
    "a certificate": (
        lambda account: account.finish(account.begin(module="notebook_certificate", days=90)), {},
        lambda account, _after: " 200 " in answers(account, "/api/status").split("\n")[0],
    ),
    "a password": (
        another_password, {}, lambda account, _after: logs_in(account, "another one"),
    ),
    "a front end": (
        nothing, {"frontend": "notebook"}, lambda _account, after: after["frontend"] == "notebook",
    ),
    "a number of threads": (
        nothing, {"threads": 2}, lambda _account, after: "THREADS=2\0" in environ(after["pid"]),
    ),
    "a limit of CPU time": (
        nothing, {"cpu_limit": 90}, lambda _account, after: "LIMIT=90\0" in environ(after["pid"]),
    ),
    "a transport": (
        nothing, {"transport": "tcp"},
        lambda account, after: "started" in over_tcp(account, after["port"]),
    ),
}  # fmt: skip


def environ(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


@pytest.mark.fault("a change that works")
@pytest.mark.parametrize(("write", "params", "shows"), WORKING.values(), ids=list(WORKING))
def test_a_change_that_works_costs_no_request_before_it_has_shown_so(
    changing, free_port, write, params, shows
):
    port = {"port": free_port} if "transport" in params else {}
    before = changing.info()["servers"][0]["pid"]
    with ExitStack() as stack:
        stack.enter_context(planted(changing, "hpcc_extension", EXTENSION))
        asked = stack.enter_context(requests(changing))
        write(changing)
        after = changing.server(state="restarted", timeout=120, **params, **port)
        assert shows(changing, after)
    assert after["pid"] != before
    assert asked.in_trial == []


@pytest.mark.fault("a failure after the trial")
def test_what_passes_its_trial_and_fails_then_brings_the_old_one_back(owner, free_port):
    """Over TCP, say, which the trial does not use: somebody may take the port meanwhile."""
    name, text = configured("")
    late = "import sys\nif '--ServerApp.sock=' in sys.argv: raise SystemExit(3)\n"
    before = owner.server(timeout=120, frontend="nbclassic", threads=3)
    owner.write(owner.directory / name, late + text)
    with pytest.raises(ModuleFailed) as failed:
        owner.server(state="restarted", timeout=120, transport="tcp", port=free_port)
    said = str(failed.value)
    assert "the server ended" in said
    assert "NbClassic over a socket, 3 threads a kernel was started again instead" in said
    (now,) = owner.info()["servers"]
    assert (now["state"], now["frontend"]) == ("running", "nbclassic")
    assert now["pid"] != before["pid"]
    assert " 200 " in answers(owner, "/api/status").split("\n")[0]
    assert "THREADS=3\0" in environ(now["pid"])
    assert owner.server(timeout=120, frontend="nbclassic", threads=3)["changed"] is False


def test_when_that_fails_too_it_says_that_nothing_runs(owner, free_port):
    name, text = configured("")
    late = "import sys\nif not [a for a in sys.argv if 'trial' in a]: raise SystemExit(3)\n"
    owner.server(timeout=120)
    owner.write(owner.directory / name, late + text)
    with pytest.raises(ModuleFailed, match="JupyterLab over a socket did not start again either"):
        owner.server(state="restarted", timeout=120, transport="tcp", port=free_port)
    assert owner.processes() == []


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


@pytest.mark.fault("that is gone before a start")
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

"""What is to become live in a profile is tried first, by the Jupyter and the Python themselves."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common import answers
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import serving
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import Seen, ok
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import generations, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    kernel_trial,
    option_trial,
)
from ansible_collections.hpcc.notebook.plugins.modules import ipython_profile
from modules import ModuleFailed, run_module
from one_task import CHECKOUT
from servers import RUNNER

GOOD = {
    "MappingKernelManager.cull_idle_timeout": 86400,
    "TemplateExporter.exclude_input": True,
    "LabApp.news_url": None,
}
# What only a Jupyter that begins to serve can say, or what is refused without asking it.
REFUSED = {
    "a class that there is not": (
        {"SeverApp.max_body_size": 1},
        "Jupyter has no class SeverApp; did you mean ServerApp?",
    ),
    "a directory that is missing": (
        {"FileContentsManager.preferred_dir": "/no/such"},
        "Preferred directory not found",
    ),
    "a class that cannot be imported": (
        {"ServerApp.kernel_manager_class": "nope.Nope"},
        "of ServerApp instance must be a type, but 'nope.Nope' could not be imported",
    ),
    "a program that is no class": (
        {"ServerApp.contents_manager_class": "os.path.join"},
        "ServerApp.contents_manager_class",
    ),
    "another address": ({"ServerApp.base_url": "/notebook/"}, "nothing answers at the address"),
    "something else than to serve": ({"ServerApp.show_config": True}, "nothing answers at the"),
}
MISMATCHED = {
    "a text for a number": ({"ServerApp.max_body_size": "abc"}, "expected an int, not the str"),
    "an option that there is not": ({"ServerApp.no_such_trait": 1}, "has no such option"),
    "a letter too few": ({"ServerApp.max_body_siz": 1}, "did you mean max_body_size?"),
    "a front end's number": ({"LabApp.default_url": 5}, "expected a unicode string, not the int"),
    "a number in a list": ({"ServerApp.extra_static_paths": [1]}, "not the int 1"),
    "a word for yes": ({"ServerApp.allow_remote_access": "maybe"}, "expected a boolean"),
    "hours with their unit": (
        {"MappingKernelManager.cull_idle_timeout": "1h"},
        "expected an int, not the str",
    ),
    "no value at all": ({"ServerApp.max_body_size": None}, "expected an int, not the NoneType"),
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    return path


def everything(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with a profile in it, made once: a kernel computes each time."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        run_module(ipython_profile)
    return home


@pytest.fixture
def live(made, monkeypatch):
    """The content of a profile that serves; HOME is where it is."""
    monkeypatch.setenv("HOME", str(made))
    return everything(made)


@pytest.mark.fault("an option that Jupyter does not take")
@pytest.mark.parametrize(("options", "words"), REFUSED.values(), ids=REFUSED)
def test_options_that_jupyter_does_not_take_leave_the_live_ones(made, live, options, words):
    with pytest.raises(ModuleFailed) as failed:
        run_module(ipython_profile, options=options)
    assert words in str(failed.value)
    assert "\n" not in str(failed.value)
    assert " object at 0x" not in str(failed.value)
    assert everything(made) == live


@pytest.mark.parametrize(("options", "words"), MISMATCHED.values(), ids=MISMATCHED)
def test_a_mismatch_is_blamed_even_when_the_server_failed_over_it(options, words):
    for name in ("jupyter_server.serverapp", "jupyterlab.labapp"):
        importlib.import_module(name)
    reason = option_trial.reason({**GOOD, **options}, "Bad config encountered") or ""
    assert reason.startswith(next(iter(options)))
    assert words in reason


def test_the_options_are_judged_without_parsing_a_grammar_of_addresses(home):
    asked = {"options": GOOD, "cookie_secret": str(home / "cookie_secret")}
    command = [sys.executable, "-I", "-X", "importtime", "-c", inspect.getsource(option_trial)]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=True, cwd=home
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {"reason": None}
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "jsonschema._format" in imported
    assert not imported & {"rfc3987_syntax.syntax_helpers", "lark"}


def test_a_check_run_tries_them_too_and_leaves_nothing(home, monkeypatch):
    place = home.parent / "place"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert run_module(ipython_profile, check=True, options=GOOD)["changed"]
    assert not list(home.iterdir())
    assert not list(place.iterdir())


def test_a_directory_that_is_to_be_made_can_be_preferred(home):
    options = {"FileContentsManager.preferred_dir": str(home / "notebooks")}
    assert run_module(ipython_profile, root_dir="~/notebooks", options=options)["changed"]


@pytest.mark.usefixtures("live")
def test_nothing_is_tried_when_nothing_changes(monkeypatch):
    def run(*_words, **_more):
        raise AssertionError

    monkeypatch.setattr(processes, "run", run)
    assert not run_module(ipython_profile)["changed"]


NO_KERNEL = {
    "/no/such/python": "No such file or directory: '/no/such/python'",
    "/bin/false": "ended before it computed anything",
    "/usr/bin/python3": "No module named",
    "/bin/cat": "ended before it computed anything",
}


@pytest.mark.fault("a Python without a kernel")
@pytest.mark.parametrize(("python", "words"), NO_KERNEL.items())
def test_a_python_without_a_kernel_leaves_the_one_that_there_is(made, live, python, words):
    if not Path(python).exists() and "no/such" not in python:
        pytest.skip(f"no {python} here")
    with pytest.raises(ModuleFailed) as failed:
        run_module(ipython_profile, python=python)
    assert str(failed.value).startswith(f"{python}: this Python runs no kernel: ")
    assert words in str(failed.value)
    assert "\n" not in str(failed.value)
    assert everything(made) == live


def test_a_kernel_that_computes_something_else_is_none():
    content = {"user_expressions": {"sum": {"data": {"text/plain": "3"}}}}
    assert "computed 1 + 1 as" in (kernel_trial.wrong(content) or "")


def test_a_python_that_runs_a_kernel_is_taken(home):
    python = home / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert run_module(ipython_profile, python="~/python", debugger=True)["changed"]


@pytest.mark.parametrize("lacks", ["", "ipykernel"])
def test_only_an_installation_of_ours_with_ipykernel_in_it_is_taken_at_its_word(monkeypatch, lacks):
    find, run, tried = importlib.util.find_spec, processes.run, []
    monkeypatch.setattr(generations, "is_ours", lambda python: python == sys.executable)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name != lacks and find(name))
    monkeypatch.setattr(processes, "run", lambda *a, **b: tried.append(a) or run(*a, **b))
    assert run_module(ipython_profile)["changed"]
    assert bool(tried) == bool(lacks)


@pytest.mark.fault("a closed directory of notebooks")
def test_a_root_directory_that_its_owner_may_not_list_is_refused(owner):
    closed = owner.home / "closed"
    closed.mkdir(mode=0o300)
    os.chown(closed, owner.uid, -1)
    asked = {"module": "ipython_profile", "name": "other", "root_dir": "~/closed"}
    answer = json.loads(
        owner.run(owner.python, "-c", RUNNER, stdin=json.dumps(asked)).splitlines()[-1]
    )
    assert answer["failed"]
    assert answer["msg"].startswith(f"{closed}: you may not list what is in it.")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('noise\n{"reason": null}\n', None),
        ('{"reason": "so"}', "so"),
        ("Segmentation fault", "Segmentation fault"),
        ("", "no answer"),
        ("[]", "[]"),
    ],
)
def test_the_last_line_of_a_trial_is_its_answer(said, reason):
    assert answers.reason_in(said) == reason


def test_the_class_that_is_unknown_is_blamed_only_when_all_classes_are_known():
    """When the server ends early, its extensions were not imported, so their classes are not."""
    given = {"Invented.option": 1}
    assert option_trial.reason(given, "it failed early") == "it failed early"
    assert "no class Invented" in (option_trial.reason(given, None) or "")


@pytest.mark.usefixtures("live")
def test_the_doctor_lets_a_kernel_compute(made, tmp_path):
    """The functions of its shell program, with a Python that is beside nothing else."""
    shell = (CHECKOUT / "plugins/plugin_utils/_node/scripts/doctor/look.sh").read_text()
    functions = shell[shell.index("as_a_server() {") : shell.index("look_at_options() {")]
    prefix = tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    python = prefix / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    given = {"directory": f"{made}/.ipython/profile_nbserver", "prefix": str(prefix)}
    program = f'emit() {{ printf "%s\\n" "$2"; }}\n{functions}\nlook_at_kernel\n'
    kernel = {"KERNEL": Path(kernel_trial.__file__).read_text(), "KERNEL_WITHIN": "60"}
    environment = {**os.environ, **given, **kernel}

    def said() -> object:
        done = subprocess.run(
            ["sh", "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        return serving.kernel(Seen({"kernel": [done.stdout.strip()]}))

    assert said() == ok("kernel", "computed 1 + 1")
    spec = made / ".ipython/profile_nbserver/jupyter/kernels/python3/kernel.json"
    before = spec.read_text()
    spec.write_text(before.replace('"python",', '"/no/such/python",', 1))
    assert "No such file or directory: '/no/such/python'" in str(said())
    spec.write_text(before)


def test_what_is_said_of_a_class_holds_for_those_derived_from_it() -> None:
    """`jupyter server password` names the hash by the class above the one that has it."""
    auth = pytest.importorskip("jupyter_server.auth")
    known = {each.__name__: each for each in (auth.IdentityProvider, auth.PasswordIdentityProvider)}
    assert option_trial.owner(known, "IdentityProvider", "hashed_password") is (
        auth.PasswordIdentityProvider
    )
    nobodys = option_trial.owner(known, "IdentityProvider", "nobodys")
    assert "has no such option" in str(option_trial.mismatch(nobodys, "nobodys", 1))

"""What is used of ipyparallel without a promise is still there: the next release may change it."""

from __future__ import annotations

import inspect
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from ipyparallel import Client, LoadBalancedView
from ipyparallel.controller import app, heartmonitor
from ipyparallel.controller.app import IPController
from ipyparallel.controller.heartmonitor import HeartMonitor
from ipyparallel.controller.task_scheduler import TaskScheduler
from ipyparallel.engine.app import IPEngine
from ipyparallel.engine.nanny import KernelNanny
from packaging.requirements import Requirement

# What is replaced or called, and the parameters that it is expected to take.
METHODS = {
    LoadBalancedView._really_apply: "self f args kwargs block track after follow timeout targets "
    "retries label",
    Client._handle_apply_reply: "self msg",
    TaskScheduler.maybe_run: "self job",
    HeartMonitor.start: "self",
    HeartMonitor.handle_pong: "self msg",
    HeartMonitor.handle_new_hearts: "self hearts",
    IPController.to_work_dir: "self",
    IPEngine.start_nanny: "self control_url",
    IPEngine.to_work_dir: "self",
    IPEngine.init_engine: "self",
    KernelNanny.start: "self",
    KernelNanny.finish: "self",
    KernelNanny.pipe_handler: "self fd events",
    KernelNanny.wait_for_parent_thread: "self",
}
# What their own code assigns to themselves, or declares as a trait.
ATTRIBUTES = {
    Client: "_task_stream _io_loop session outstanding",
    TaskScheduler: "retries targets",
    HeartMonitor: "hearts responses ping_stream lifetime",
    IPEngine: "id bident registration_url curve_serverkey curve_publickey curve_secretkey",
    KernelNanny: "parent_process loop pid registration_url curve_serverkey curve_publickey "
    "curve_secretkey",
}
EACH = [(owner, name) for owner, names in ATTRIBUTES.items() for name in names.split()]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
def test_a_method_takes_what_it_is_given(method):
    assert " ".join(inspect.signature(method).parameters) == METHODS[method]


@pytest.mark.parametrize(("owner", "name"), EACH)
def test_an_attribute_is_there(owner, name):
    sources = (inspect.getsource(each) for each in owner.__mro__ if each is not object)
    text = "\n".join(sources)
    assert f"self.{name} " in text or f"\n    {name} = " in text or f"\n    {name}: " in text


def test_the_controller_looks_up_what_is_replaced():
    assert app.TaskScheduler is TaskScheduler
    assert heartmonitor.HeartMonitor is HeartMonitor
    assert "TaskScheduler" in inspect.getsource(app)


def test_the_release_is_one_that_this_was_written_for():
    needs = [Requirement(text) for text in requirements()]
    pinned = next(need for need in needs if need.name == "ipyparallel")
    assert pinned.specifier.contains(metadata.version("ipyparallel"))
    assert not pinned.specifier.contains("10.0")


def requirements():
    project = Path(__file__).parents[2] / "pyproject.toml"
    return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]

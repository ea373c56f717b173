"""`cluster_view` and `ClusterView`: the interface of ipython-cluster-helper, for today.

    from cluster_helper.cluster import cluster_view

    with cluster_view(scheduler="slurm", queue="main", num_jobs=5) as view:
        result = view.map(function, range(200))

What each parameter means is said at `ClusterView`.
"""

from __future__ import annotations

import inspect
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ipyparallel import Client
from ipyparallel.error import IPythonError

from cluster_helper import leftovers, request, workspace
from cluster_helper.engine_monitor import EngineMonitor
from cluster_helper.errors import ClusterError
from cluster_helper.plan import Plan
from cluster_helper.progress import line, progress_bar
from cluster_helper.schedulers import DIALECTS
from cluster_helper.site import load
from cluster_helper.supervisor_client import Seen, SupervisorClient
from cluster_helper.view import BalancedView
from cluster_helper.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])
_TICK = 0.05
_CONNECT = 60  # seconds that the controller gets


def say(text: str) -> None:
    """A line for the person."""
    print(text, file=sys.stderr, flush=True)


class ClusterView:
    """A running cluster: `view` to work with, `client` of ipyparallel, and `stop()`.

    scheduler: one of {schedulers}; None: the site's, else the one that is found.
    queue: queue or partition; None: the site's, else the scheduler's default.
    num_jobs: how many engines, one for each job.
    cores_per_job: how many cores each of them gets.
    profile: an existing IPython profile, whose startup files the engines run.
    start_wait: minutes until the first engine, or until all with wait_for_all_engines.
    extra_params: a dictionary with any of
        resources: "name=value;name=value" or a list of "name=value": walltime (HH:MM:SS), mem
            (such as 2gb, for each engine), account, project, qos, feature, gpus
        mem: the same in gigabytes, as a number
        tag: part of the job's name
        run_local: True for engines on this machine, without a scheduler
    retries: how often a task is tried again that failed, or whose engine was lost; None: never.
    direct: whether the view is a DirectView of the engines that are up, not a balanced one.
    wait_for_all_engines: whether to wait for all engines and not for the first.

    Raises ClusterError with one line: for a bad value before anything is started, and when no
    engine can come, with the scheduler's own words. Nothing is left then.
    """

    def __init__(
        self,
        scheduler: str | None = None,
        queue: str | None = None,
        num_jobs: int = 1,
        cores_per_job: int = 1,
        profile: str | None = None,
        start_wait: float = 16,
        extra_params: Mapping[str, Any] | None = None,
        retries: int | None = None,
        direct: bool = False,
        wait_for_all_engines: bool = False,
    ) -> None:
        site = load()
        self.request = request.read(
            site, scheduler, queue, num_jobs, cores_per_job, profile, start_wait,
            extra_params, retries, direct, wait_for_all_engines,
        )  # fmt: skip
        self.plan = Plan(self.request, site)
        self.client: Client | None = None
        self.stopped = False
        self._line = line()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        for what in leftovers.sweep():
            say(what)
        say(self.plan.summary())
        self._files = workspace.create()
        self._supervisor = SupervisorClient(self.plan.order(self._files))
        self._supervisor.start()
        self._line.show(progress_bar(0, self.request.count))
        deadline = time.monotonic() + self.request.patience
        self.client = self._connect()
        self._wait(self.request.count if self.request.wait_for_all else 1, deadline)
        self.view = self._view(self.client)
        self._monitor = EngineMonitor(
            self._supervisor, self.client, self.request, self._line, say, self._last_words
        )
        self._monitor.start()
        self._line.finish()

    def job_script(self) -> str:
        """The script that was submitted."""
        return self.plan.script(self._files)

    def _connect(self) -> Client:
        """As soon as the controller has said where it is."""
        deadline = time.monotonic() + _CONNECT
        while time.monotonic() < deadline:
            self._stop_if_hopeless(self._supervisor.wait(_TICK))
            try:
                info = json.loads(self._files.client_file.read_text(encoding="utf-8"))
            except (OSError, ValueError):  # empty yet; gone when the supervisor has given up
                continue
            return self._client(info)
        raise ClusterError("the controller did not start", _last_line(self._files.controller_log))

    def _client(self, info: dict[str, Any]) -> Client:
        try:
            return Client(info, profile_dir=str(self._files.directory), timeout=_CONNECT)
        except (OSError, IPythonError) as error:
            self._stop_if_hopeless(self._supervisor.wait(_TICK))
            raise ClusterError("the controller does not answer", str(error)) from error

    def _wait(self, engines: int, deadline: float) -> None:
        """Until so many engines are up."""
        while self.client is not None and len(self.client.ids) < engines:
            seen = self._supervisor.wait(_TICK)
            self._stop_if_hopeless(seen)
            self._line.show(progress_bar(len(self.client.ids), self.request.count, seen.note()))
            if time.monotonic() > deadline:
                minutes = self.request.patience / 60
                why = seen.note() or "they did not register"
                raise ClusterError(f"not enough engines within {minutes:g} minutes", why)

    def _stop_if_hopeless(self, seen: Seen) -> None:
        reason = seen.hopeless() or ("the supervisor has died" if self._supervisor.gone else "")
        if reason:
            words = self._last_words(1)
            log = f" (its log says: {words})" if words and not seen.refused else ""
            raise ClusterError("the engines cannot start", f"{reason}{log}")

    def _last_words(self, task: int) -> str:
        return _last_line(Path(f"{self._files.engine_log}{task}.log"))

    def _view(self, client: Client) -> Any:
        """What the recipe works with: blocking, balanced unless direct."""
        if self.request.direct:
            view = client[:]
        else:
            view = BalancedView(client=client, socket=client._task_stream)
            view.retries = self.request.retries
        view.block = True
        view.cluster = self
        return view

    def refuse_without_engines(self) -> None:
        """A task that nobody will ever take is an error at once."""
        if self.stopped:
            raise ClusterError("the cluster has been stopped", "work belongs into its with block")
        if self._monitor.gave_up:
            raise ClusterError("no engine is left", self._monitor.gave_up)

    def stop(self) -> None:
        """End the engines, the job and the controller, and wait until they have ended."""
        if self.stopped:
            return
        self.stopped = True
        self._line.finish()
        if hasattr(self, "_monitor"):
            self._monitor.stop()
        if self.client is not None:
            self.client.close()
        if hasattr(self, "_supervisor"):
            self._supervisor.stop()
            if self._supervisor.seen.left:
                say(f"Job {self._supervisor.seen.job} is left: {self._supervisor.seen.left}. "
                    "Its engines end by themselves.")  # fmt: skip

    def __enter__(self) -> ClusterView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


ClusterView.__doc__ = (ClusterView.__doc__ or "").replace("{schedulers}", ", ".join(DIALECTS))


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _parameters_of_cluster_view(function: F) -> F:
    """So that help, and Shift+Tab in a notebook, show what can be said."""
    signature = inspect.signature(ClusterView)
    function.__signature__ = signature.replace(  # type: ignore[attr-defined]
        return_annotation=inspect.Signature.empty
    )
    parameters = (inspect.getdoc(ClusterView) or "").partition("\n\n")[2]
    function.__doc__ = f"{inspect.getdoc(function)}\n\n{parameters}"
    return function


@_parameters_of_cluster_view
@contextmanager
def cluster_view(*args: Any, **parameters: Any) -> Iterator[Any]:
    """The view of a `ClusterView` with the same parameters, ended in the end."""
    cluster = ClusterView(*args, **parameters)
    try:
        yield cluster.view
    finally:
        cluster.stop()


@_parameters_of_cluster_view
def job_script(*args: Any, **parameters: Any) -> str:
    """The script that `cluster_view` with the same parameters would submit. Starts nothing."""
    given = inspect.signature(ClusterView).bind(*args, **parameters)
    given.apply_defaults()
    site = load()
    plan = Plan(request.read(site, *given.args), site)
    return plan.script(Workspace(workspace.above() / "…"))

"""Five workers on Slurm and 200 small tasks, by each of three libraries. Runs on the dev node.

contenders.py NAME prints the seconds from `with` to the first result, and those for 200 tasks once
all workers are there. Neither imports nor the end are counted.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

WORKERS, TASKS = 5, 200


@dataclass(frozen=True)
class Started:
    """Workers, of which one is there."""

    run: Callable[[Callable[[int], Any], Iterable[int]], list[Any]]
    """Its own map, as it is when nothing further is said."""
    wait_for_all: Callable[[], object]
    workers: Callable[[], int]
    """How many are there."""


def work(number: int) -> tuple[int, str]:
    """The function of the recipe."""
    import socket

    return number * 2, socket.gethostname()


def cluster_view() -> Callable[[], AbstractContextManager[Started]]:
    from cluster_helper.cluster import cluster_view

    @contextmanager
    def start() -> Iterator[Started]:
        with cluster_view(scheduler="slurm", num_jobs=WORKERS) as view:
            yield Started(
                lambda function, items: list(view.map(function, items)),
                lambda: view.client.wait_for_engines(WORKERS, interactive=False),
                lambda: len(view.client.ids),
            )

    return start


def ipyparallel() -> Callable[[], AbstractContextManager[Started]]:
    import ipyparallel

    @contextmanager
    def start() -> Iterator[Started]:
        # Its own `with` waits for all engines: this is the quicker way. Not encrypted.
        # Engines that wait only as long as they do by default stay away from a busy controller.
        patient = {"engine_args": ["--timeout=60"], "log_level": logging.ERROR}
        cluster = ipyparallel.Cluster(engines="slurm", n=WORKERS, controller_ip="*", **patient)
        cluster.start_cluster_sync()
        client = cluster.connect_client_sync()
        client.wait_for_engines(1, interactive=False)
        view = client.load_balanced_view()
        yield Started(
            lambda function, items: list(view.map_sync(function, items)),
            lambda: client.wait_for_engines(WORKERS, interactive=False),
            lambda: len(client.ids),
        )
        client.close()
        cluster.stop_cluster_sync()

    return start


def dask_jobqueue() -> Callable[[], AbstractContextManager[Started]]:
    # The site's file serves Dask, too: queue, account, walltime.
    from cluster_helper.site import dask_options
    from dask_jobqueue import SLURMCluster
    from distributed import Client

    @contextmanager
    def start() -> Iterator[Started]:
        wanted = {"cores": 1, "processes": 1, "memory": "500MB", "n_workers": WORKERS}
        with SLURMCluster(**wanted, **dask_options()) as cluster, Client(cluster) as client:
            yield Started(
                lambda function, items: client.gather(client.map(function, items, pure=False)),
                lambda: client.wait_for_workers(WORKERS),
                lambda: len(client.scheduler_info(n_workers=-1)["workers"]),
            )

    return start


def seconds(run: Callable[[], object]) -> float:
    begin = time.monotonic()
    run()
    return time.monotonic() - begin


def measure(start: Callable[[], AbstractContextManager[Started]]) -> tuple[float, float]:
    begin = time.monotonic()
    with start() as started:
        assert started.run(work, [1])[0][0] == 2
        first = time.monotonic() - begin
        started.wait_for_all()
        assert started.workers() == WORKERS
        assert len(started.run(work, range(TASKS))) == TASKS
        batches = [seconds(lambda: started.run(work, range(TASKS))) for _each in range(3)]
    return first, statistics.median(batches)


if __name__ == "__main__":
    contender = {"cluster_view": cluster_view, "ipyparallel": ipyparallel, "dask": dask_jobqueue}
    print(*measure(contender[sys.argv[1]]()))

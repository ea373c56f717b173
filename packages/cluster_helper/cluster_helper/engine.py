"""One engine of a job: a process of its own.

Two processes: the engine of ipyparallel, and its parent, which is ipyparallel's nanny and more.
It ends the engine when the controller is gone, however busy the engine is, and it tells the
controller at once when the engine is gone, so that its tasks are given to others.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import zmq
from ipyparallel.engine.app import IPEngine
from ipyparallel.engine.nanny import KernelNanny

from cluster_helper import lifeline, process

_TERM_GRACE = 1.0  # seconds between asking an engine to end and making it


class Engine(IPEngine):  # type: ignore[misc]
    """ipyparallel's engine, whose nanny is its parent: no second start of Python."""

    def start_nanny(self, control_url: str) -> tuple[str, Any]:
        config = type(self.config)()
        config.Session = self.config.Session
        order = {
            "pid": os.getpid(), "engine_id": self.id, "identity": self.bident,
            "control_url": control_url, "registration_url": self.registration_url,
            "curve_serverkey": self.curve_serverkey, "curve_secretkey": self.curve_secretkey,
            "curve_publickey": self.curve_publickey, "config": config,
        }  # fmt: skip
        pipe = self.to_parent.makefile("rwb", buffering=0)
        pickle.dump(order, pipe)
        return pipe.readline().decode().strip(), pipe

    to_parent: socket.socket
    import_from: Sequence[str] = ()
    """Where the notebook imports from."""

    def to_work_dir(self) -> None:
        """The job script has gone there. Nothing is imported from it before we are complete."""

    def init_engine(self) -> None:
        super().init_engine()
        sys.path[:] = self.import_from or sys.path[1:]


class Nanny(KernelNanny):  # type: ignore[misc]
    """ipyparallel's nanny, with a watch over the controller."""

    status: int | None = None
    """How the engine ended."""

    def pipe_handler(self, fd: Any, _events: int) -> None:
        """Leave the waiting to the thread: only one of two would learn the status."""
        self.loop.remove_handler(fd)
        fd.close()

    def wait_for_parent_thread(self) -> None:
        Nanny.status = self.parent_process.wait()
        self.loop.add_callback(self.finish)

    async def start(self) -> None:
        await super().start()
        signal.signal(signal.SIGTERM, lambda *_: end(self.pid))
        lifeline.watch(
            self.registration_url,
            (self.curve_serverkey, self.curve_publickey, self.curve_secretkey),
            self._controller_is_gone,
        )

    def _controller_is_gone(self) -> None:
        print("The controller is gone, so this engine ends.", flush=True)
        end(self.pid)
        time.sleep(2 * _TERM_GRACE)
        process.kill_descendants()
        os._exit(1)


def end(pid: int) -> None:
    """Ask the engine to end; one that is too busy to listen is ended a moment later."""

    def kill() -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    timer = threading.Timer(_TERM_GRACE, kill)
    timer.daemon = True
    timer.start()


def run_engine(options: argparse.Namespace, to_parent: socket.socket) -> None:
    """The child. It does not outlive its parent."""
    process.die_with_parent()
    Engine.to_parent = to_parent
    Engine.import_from = options.import_from
    Engine.launch_instance(
        [
            f"--file={options.connection}",
            f"--profile-dir={options.profile_dir}",
            f"--IPEngine.id={options.task - 1}",
            # A line for each task on a network's file system is a waste.
            "--log-level=ERROR",
            f"--timeout={options.patience}",
        ]
    )


def run_nanny(child: int, to_child: socket.socket) -> int:
    """The parent, until the engine has ended."""
    pipe = to_child.makefile("rb", buffering=0)
    try:
        order = pickle.load(pipe)  # noqa: S301 - from our own child
    except EOFError:
        return ended_with(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    with os.fdopen(os.dup(to_child.fileno()), "w", buffering=1) as writer:
        Nanny.main(**{**order, "pid": child, "pipe": writer})
    process.kill_descendants()
    return ended_with(Nanny.status)


def ended_with(status: int | None) -> int:
    """The exit status of the job; said in its log, too."""
    if status:
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        print(f"The engine ended with {how}.", flush=True)
    return abs(status or 0)


def wait_for_controller(path: Path, patience: float) -> None:
    """Until the file that was empty when the job was submitted says where the controller is."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            break
        except ValueError:
            time.sleep(0.05)
        else:
            return
    sys.exit("The controller is not there (any more), so this engine ends.")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--connection", type=Path, required=True)
    parser.add_argument("--profile-dir", required=True)
    parser.add_argument("--patience", type=float, default=60)
    parser.add_argument("--import-from", action="append", default=[])
    parser.add_argument("--task", type=int, required=True)
    options = parser.parse_args()
    wait_for_controller(options.connection, options.patience)
    to_child, to_parent = socket.socketpair()
    child = os.fork()
    if child == 0:
        to_child.close()
        run_engine(options, to_parent)
        return
    to_parent.close()
    status = run_nanny(child, to_child)
    zmq.Context.instance().destroy(linger=0)
    os._exit(status)


if __name__ == "__main__":
    main()

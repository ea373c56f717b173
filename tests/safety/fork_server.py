"""Start Jupyter once for each damaged profile, in a tenth of a second instead of two.

Runs with `python -I` and the environment of a real start, as the account. Everything that a
server imports is imported once; each case is a fork of this process that is given the command
line of a real start and goes on as the front end would. It is watched from outside.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SAFETY = Path(__file__).resolve().parent
COLLECTIONS = SAFETY.parents[1] / "playbooks" / "collections"
sys.path += [str(SAFETY), str(COLLECTIONS)]

import damages  # noqa: E402
import listeners  # noqa: E402
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError  # noqa: E402
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes  # noqa: E402
from ansible_collections.hpcc.notebook.plugins.module_utils._server import launch as server_launch  # noqa: E402
from ansible_collections.hpcc.notebook.plugins.module_utils._server import layout as server  # noqa: E402
from ansible_collections.hpcc.notebook.plugins.module_utils._server import readiness  # noqa: E402

PATIENCE = 60.0  # seconds; whoever has not listened by then waits for something that never comes
LOOK = 0.005  # seconds between two looks
PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans of what was started become children of this process
MAIN = {
    "lab": "jupyterlab.labapp",
    "notebook": "notebook.app",
    "nbclassic": "nbclassic.notebookapp",
}
# Stays a name of its own in each child: it would keep what the first server made.
WARM = ("jupyter", "nb", "notebook", "tornado", "zmq", "ipykernel", "IPython", "argon2", "yarl")


class Stage:
    """One profile, damaged again and again."""

    def __init__(self, layout: server.Layout, port: int) -> None:
        self.layout, self.port = layout, port
        self.profile, self.template = Path(layout.directory), Path(f"{layout.directory}.good")
        self.log = Path(layout.home) / "log"
        shutil.copytree(self.profile, self.template, symlinks=True)

    def play(self, damage: damages.Damage | None, launch: server.Launch) -> dict[str, str]:
        """Damage the profile, ask our own judgement, then start regardless of it."""
        self.restore()
        if damage:
            damage.apply(self.profile)
        judged = self.judged()
        pid = self.start(launch)
        try:
            outcome = self.watch(pid)
        finally:
            self.end(pid)
        return {"judged": judged, "outcome": outcome}

    def end(self, pid: int) -> None:
        """End it and all that it began: a kernel leads a session, and writes into the profile."""
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        while orphans := processes.children(os.getpid()):
            for orphan in orphans:
                os.kill(orphan.pid, signal.SIGKILL)
                os.waitpid(orphan.pid, 0)

    def listeners(self, pid: int) -> list[listeners.Listener]:
        """Those of what was started."""
        return listeners.listeners(pid)

    def restore(self) -> None:
        for directory in (self.profile, Path(self.layout.runtime)):
            with suppress(FileNotFoundError):
                shutil.rmtree(directory)
        shutil.copytree(self.template, self.profile, symlinks=True)
        Path(self.layout.runtime).mkdir(mode=0o700, parents=True)  # a job has swept both
        Path(self.layout.socket).unlink(missing_ok=True)

    def judged(self) -> str:
        """What our own start says before it starts anything."""
        try:
            readiness.require_ready(self.layout)
        except NotebookError as error:
            return str(error)
        return ""

    def start(self, launch: server.Launch) -> int:
        """Go on in a child as the server itself; the group ends with it."""
        pid = os.fork()
        if pid:
            with suppress(OSError):
                os.setpgid(pid, pid)
            return pid
        try:
            os.setpgid(0, 0)
            self.become_server(launch)
        except SystemExit as ended:
            os._exit(ended.code if isinstance(ended.code, int) else 1)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        os._exit(1)

    def become_server(self, launch: server.Launch) -> None:
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        empty = os.open("/dev/null", os.O_RDONLY)
        for source, target in ((empty, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.chdir(self.layout.home)
        argv = server_launch.server_argv(sys.executable, self.layout, launch)
        sys.argv = argv[argv.index("-c") + 2 :]
        importlib.import_module(MAIN[launch.frontend]).main()

    def watch(self, pid: int) -> str:
        """How it ended, or how open it is."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return "ended"
            if found := self.listeners(pid):
                return self.worst(pid, found)
            time.sleep(LOOK)
        return "waits"

    def worst(self, pid: int, found: list[listeners.Listener]) -> str:
        """Ask each listener, and look again: another may have come up meanwhile."""
        answers = {listener: listeners.openness(listener, self.log) for listener in found}
        more = [listener for listener in self.listeners(pid) if listener not in answers]
        answers.update({listener: listeners.openness(listener, self.log) for listener in more})
        opened = [f"{where.address} {how}" for where, how in answers.items() if "OPEN" in how]
        return "; ".join(opened) or ("private" if "private" in answers.values() else "useless")

    def imported(self, launch: server.Launch) -> list[str]:
        """What a server of the good profile has imported by the time it listens."""
        self.restore()
        names, pipe = os.pipe()
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            signal.signal(signal.SIGUSR2, lambda *_: tell(pipe))
            self.become_server(launch)
        os.close(pipe)
        while not listeners.listeners(pid):
            if os.waitpid(pid, os.WNOHANG)[0]:
                raise SystemExit(f"no server of the good profile came up: {self.log.read_text()}")
            time.sleep(LOOK)
        # What a server imports to answer its first request, too.
        [listeners.openness(listener, self.log) for listener in listeners.listeners(pid)]
        os.kill(pid, signal.SIGUSR2)
        with os.fdopen(names) as told:
            found = told.read().split()
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return found


class JobStage(Stage):
    """The same profile, served by its job: the script, the program and the server of a real one."""

    def __init__(self, layout: server.Layout, port: int) -> None:
        super().__init__(layout, port)
        self.log = next((self.profile / "log").glob("*/server.log"))
        self.record = self.profile / "job" / "submission.json"
        self.submitted = json.loads(self.record.read_text())

    def start(self, launch: server.Launch) -> int:
        """As a scheduler does; that its own check refuses the profile is part of it."""
        self.record.write_text(json.dumps({**self.submitted, "frontend": launch.frontend}))
        script = str(self.profile / "job" / "job.sh")
        given = {**os.environ, "SLURM_JOB_ID": self.submitted["job"]}
        begun = subprocess.Popen(["/bin/sh", script], env=given, start_new_session=True)
        return begun.pid

    def listeners(self, pid: int) -> list[listeners.Listener]:
        """Those of its server; a kernel that it tries listens in a private directory."""
        mark = f"--ServerApp.certfile={self.layout.certificate}"
        begun = [each.pid for each in processes.children(pid)]
        serving = [each for each in begun if mark in processes.command_line(each)]
        return [found for each in serving for found in listeners.listeners(each)]


def tell(pipe: int) -> None:
    with os.fdopen(pipe, "w") as told:
        told.write("\n".join(list(sys.modules)))


def warm_up(stage: Stage) -> None:
    """Import here what the children would each import by themselves."""
    for frontend in MAIN:
        for name in stage.imported(server.Launch(frontend, "socket", stage.port)):
            if name not in sys.modules and name != "__main__":
                with suppress(Exception):
                    importlib.import_module(name)


def ways(stage: Stage) -> list[server.Launch]:
    """Every way of serving, the default one first; a job has no port."""
    transports = ("socket",) if isinstance(stage, JobStage) else ("socket", "tcp")
    return [server.Launch(f, t, stage.port) for f in MAIN for t in transports]


def cases(
    stage: Stage, every: int, part: int, parts: int
) -> Iterator[tuple[damages.Damage, server.Launch]]:
    """Each damage with one of the ways of serving in turn, the thought-out ones with all."""
    number, served = 0, ways(stage)
    for turn, damage in enumerate(damages.all_damages(stage.template)):
        for launch in served if damage.every_way else [served[turn % len(served)]]:
            number += 1
            if number % every == 0 and (number // every) % parts == part:
                yield damage, launch


def main() -> None:
    asked = json.loads(sys.argv[1])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    layout = server.Layout(asked["home"], asked["profile"], "here", os.geteuid())
    os.umask(0o077)
    stage: Stage = (JobStage if asked["job"] else Stage)(layout, asked["port"])
    if not asked["job"]:  # that is started by itself each time
        warm_up(stage)
    good = [stage.play(None, launch) for launch in ways(stage)]
    print(json.dumps({"name": "undamaged", "good": good}), flush=True)
    for damage, launch in cases(stage, asked["every"], asked["part"], asked["parts"]):
        began = time.monotonic()
        result = stage.play(damage, launch)
        took = time.monotonic() - began
        print(
            json.dumps({"name": damage.name, "way": str(launch), "took": took, **result}),
            flush=True,
        )


if __name__ == "__main__":
    main()

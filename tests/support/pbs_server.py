"""A small PBS: it answers as OpenPBS 23.06 and Torque were recorded to, and runs jobs as processes.

`qsub`, `qstat` and `qdel` are programs in a directory; they hand their words to the server in the
process of the test, and print what it says: the recorded texts, exit codes and delays.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socketserver
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

_CLIENT = """\
#!{python} -IS
import json, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    server.sendall(json.dumps(sys.argv).encode() + b"\\n")
    said = json.loads(server.makefile().read())
sys.stdout.write(said["out"])
sys.stderr.write(said["err"])
sys.exit(said["code"])
"""
_FLAVOURS = {
    # name of the server, option of an array, its variable, status at walltime, exit status's name
    "openpbs": ("pbs", "-J", "PBS_ARRAY_INDEX", -29, "Exit_status"),
    "torque": ("tq", "-t", "PBS_ARRAYID", -11, "exit_status"),
}


@dataclass
class Member:
    """One job, or one of an array."""

    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    status: int | None = None
    killed: int | None = None


@dataclass
class Answer:
    out: str = ""
    err: str = ""
    code: int = 0


@dataclass
class Server:
    """What it is like is set by the test, also while it runs."""

    flavour: str
    home: Path
    history: bool = False
    slots: int = 10
    """How many members may run at a time."""
    comment: str = "Not Running: Not enough free nodes available"
    """Of those that wait."""
    hold: str = "n"
    delay: float = 0.0
    """Seconds for each answer."""
    silent: tuple[str, ...] = ()
    """Commands that never answer."""
    down: bool = False
    wrong: str | None = None
    """What qstat prints instead."""
    first: int = 0
    """The number of the first job."""
    keeps: float = 60.0
    """Seconds for which Torque remembers what has ended."""
    late: float = 0.0
    """Seconds for which qstat does not know a new job yet."""
    asked: list[str] = field(default_factory=list)
    members: dict[int, Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name, self.option, self.variable, self.at_walltime, self.status = _FLAVOURS[
            self.flavour
        ]
        self.bin = self.home / "bin"
        self.bin.mkdir()
        socket = str(self.home / "pbs")
        programs = ["qsub", "qstat", "qdel", *(["pbs_rstat"] if self.flavour == "openpbs" else [])]
        for program in programs:
            path = self.bin / program
            path.write_text(_CLIENT.format(python=sys.executable, socket=socket), encoding="utf-8")
            path.chmod(0o755)
        self.lock = threading.RLock()
        self.over = threading.Event()
        self.array, self.walltime, self.deleted, self.ended_at = False, 3600, False, 0.0
        self.listener = socketserver.ThreadingUnixStreamServer(socket, self._handler())
        self.listener.daemon_threads = True
        threading.Thread(target=self.listener.serve_forever, args=[0.05], daemon=True).start()
        threading.Thread(target=self._schedule, daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self.listener.shutdown()
        self.listener.server_close()
        with self.lock:
            for member in self.members.values():
                if member.process is not None and member.process.poll() is None:
                    os.killpg(member.process.pid, signal.SIGKILL)
                    member.process.wait()

    @property
    def id(self) -> str:
        return f"{self.first}[].{self.name}" if self.array else f"{self.first}.{self.name}"

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                argv = json.loads(self.rfile.readline())
                answer = server.answer(Path(argv[0]).name, argv[1:])
                try:
                    self.wfile.write(json.dumps(vars(answer)).encode())
                except OSError:
                    return

        return Handler

    def answer(self, program: str, words: list[str]) -> Answer:
        self.asked.append(program)
        if program in self.silent:
            self.over.wait(600)
        self.over.wait(self.delay)
        if self.down:
            text = f"Connection refused\n{program}: cannot connect to server {self.name}"
            return Answer(err=f"{text} (errno=15010)\n", code=255)
        with self.lock:
            return {"qsub": self.qsub, "qstat": self.qstat, "qdel": self.qdel}[program](words)

    # What the commands do ---------------------------------------------------------------------

    def qsub(self, words: list[str]) -> Answer:
        self.script = Path(words[-1]).read_text(encoding="utf-8")
        if re.search(r"^#PBS -q nosuch$", self.script, re.MULTILINE):
            return Answer(err="qsub: Unknown queue\n", code=170)
        asked = re.search(rf"^#PBS {self.option} 1-(\d+)$", self.script, re.MULTILINE)
        clock = re.search(r"^#PBS -l walltime=(\d+):(\d+):(\d+)$", self.script, re.MULTILINE)
        self.array = asked is not None
        hours, minutes, seconds = map(int, clock.groups())
        self.walltime = 3600 * hours + 60 * minutes + seconds
        self.members = {n: Member() for n in range(1, int(asked[1] if asked else 1) + 1)}
        self.submitted = time.monotonic()
        return Answer(out=f"{self.id}\n")

    def qstat(self, words: list[str]) -> Answer:
        if self.wrong is not None:
            return Answer(out=self.wrong)
        if self.flavour == "openpbs" and "-x" in words:
            return self._history()
        new = not self.members or time.monotonic() < self.submitted + self.late
        if new or self._is_forgotten():
            return Answer(err=f"qstat: Unknown Job Id {self.id}\n", code=153)
        if self._has_ended() and self.flavour == "openpbs":
            said = "Job has finished, use -x or -H to obtain historical job information"
            return Answer(err=f"qstat: {self.id} {said}\n", code=35)
        return Answer(out=self._records())

    def _history(self) -> Answer:
        if not self.history:
            said = "PBS is not configured to maintain job history"
            return Answer(err=f"qstat: {said} {self.id}\n")
        return Answer(out=self._records())

    def qdel(self, _words: list[str]) -> Answer:
        if self._is_forgotten():
            return Answer(err=f"qdel: Unknown Job Id {self.id}\n", code=153)
        if self._has_ended():
            return Answer(err=f"qdel: Job has finished {self.id}\n", code=35)
        self.deleted = True
        for member in self.members.values():
            self._end(member, 143)
        return Answer()

    # What is recorded -------------------------------------------------------------------------

    def _records(self) -> str:
        members = [self._member(number, member) for number, member in self.members.items()]
        if self.array and self.flavour == "openpbs":
            return "".join([self._parent(), *members])
        return "".join(members)

    def _parent(self) -> str:
        state = "F" if self._has_ended() else "H" if self.hold != "n" else "B"
        began = "Job Array Began at Wed Nov 25 at 10:00"
        running = sum(m.process is not None and m.status is None for m in self.members.values())
        count = f"Queued:{len(self.members) - running} Running:{running} Exiting:0 Expired:0 "
        return self._block(self.id, job_state=state, array="True", comment=began,
                           array_state_count=count)  # fmt: skip

    def _member(self, number: int, member: Member) -> str:
        where = f"{self.first}[{number}].{self.name}" if self.array else self.id
        if member.status is not None:
            state = "C" if self.flavour == "torque" else "X" if self.array else "F"
            return self._block(where, job_state=state, **{self.status: str(member.status)})
        if member.process is not None:
            return self._block(where, job_state="R", comment="Job run at Wed Nov 25 on (c1)")
        state = "H" if self.hold != "n" and self.flavour == "torque" else "Q"
        return self._block(where, job_state=state, Hold_Types=self.hold, comment=self._waits())

    def _waits(self) -> str:
        if self.hold != "n" and self.flavour == "openpbs":
            return "Job held by ann on Wed Nov 25 10:00:00 2026"
        began = any(member.process is not None for member in self.members.values())
        in_array = self.array and self.flavour == "openpbs" and began
        return "Job Array Began at Wed Nov 25 at 10:00" if in_array else self.comment

    def _block(self, where: str, **pairs: str) -> str:
        """Long values continue on a line that begins with a tab."""
        known = {"Job_Name": "engines", **pairs}
        lines = [f"    {name} = {value}" for name, value in known.items()]
        folded = ["\n\t".join(re.findall(".{1,70}", line)) for line in lines]
        return "\n".join([f"Job Id: {where}", *folded, "", ""])

    # What it does by itself -------------------------------------------------------------------

    def _has_ended(self) -> bool:
        return bool(self.members) and all(m.status is not None for m in self.members.values())

    def _is_forgotten(self) -> bool:
        if not self._has_ended():
            return False
        if self.flavour == "torque":
            return time.monotonic() > self.ended_at + self.keeps
        return not self.history

    def _schedule(self) -> None:
        while not self.over.wait(0.1):
            with self.lock:
                for number, member in self.members.items():
                    self._look(number, member)

    def _look(self, number: int, member: Member) -> None:
        if member.status is None and member.process is None:
            if self.hold == "n" and self._running() < self.slots:
                self._begin(number, member)
        elif member.status is None and member.process.poll() is not None:
            code = member.process.returncode
            self._ended(member, member.killed or (128 - code if code < 0 else code))
        elif member.status is None and time.monotonic() > member.began + self.walltime:
            self._end(member, self.at_walltime)

    def _running(self) -> int:
        return sum(m.process is not None and m.status is None for m in self.members.values())

    def _begin(self, number: int, member: Member) -> None:
        given = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", self.variable: str(number)}
        member.process = subprocess.Popen(
            ["sh", "-c", self.script], env=given, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        member.began = time.monotonic()

    def _end(self, member: Member, status: int) -> None:
        if member.status is not None:
            return
        if member.process is None:
            self._ended(member, status)
        elif member.process.poll() is None and member.killed is None:
            member.killed = status
            os.killpg(member.process.pid, signal.SIGTERM)

    def _ended(self, member: Member, status: int) -> None:
        member.status = status
        self.ended_at = time.monotonic()

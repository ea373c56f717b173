"""The commands of a Slurm of one node, as far as a notebook's job uses them.

It runs a job script as Slurm does, without a queue but for a job that is to follow another one, and
answers in Slurm's form. Which command it is says its name. A file `refuses-<command>` among its
notes has that command fail, after the seconds in it, and `refuses-sbatch-test` only the question
whether it would take a job. `<job>.begun.full` keeps one waiting, put back or a successor, and
`<job>.begun.slow` keeps one that runs from its own program.
Each command that is given is noted.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

NOTES = Path.home() / "slurm"


def sbatch() -> None:
    if "--test-only" in sys.argv:
        return
    job = str(1 + sum(1 for _each in NOTES.glob("*.sh")))
    script = NOTES / f"{job}.sh"
    script.write_text(Path(sys.argv[-1]).read_text())
    environment = {**os.environ, "SLURM_JOB_ID": job}
    nowhere = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    former = re.search(r"^#SBATCH --dependency=afterany:(\d+)$", script.read_text(), re.MULTILINE)
    argv = ["/bin/sh", str(script)]
    if former:
        argv = ["/bin/sh", "-c", AFTER, "after", f"/proc/{pid(former[1])}/status", begun_mark(job)]
        argv += [str(script)]
    begun = subprocess.Popen(argv, env=environment, start_new_session=True, **nowhere)
    (NOTES / f"{job}.pid").write_text(str(begun.pid))
    if not former:
        Path(begun_mark(job)).touch()
    print(job)


# A job waits until the one before it is gone; longer in a full queue.
AFTER = """
while [ -e "$2.full" ] || grep -qs '^State:.[RSDTtI]' "$1"; do sleep 0.1; done
: > "$2"
while [ -e "$2.slow" ]; do sleep 0.1; done
exec /bin/sh "$3"
"""


def begun_mark(job: str) -> str:
    return str(NOTES / f"{job}.begun")


def squeue() -> None:
    asked = next(word.partition("=")[2] for word in sys.argv if word.startswith("--name="))
    for script in NOTES.glob("*.sh"):
        name = re.search(r"^#SBATCH --job-name=(\S+)$", script.read_text(), re.MULTILINE)
        if name and name[1] == asked:
            print("|".join((script.stem, *said(script.stem))))


def said(job: str) -> tuple[str, str, str, str]:
    if not alive(job):
        return ended(job), "None", "here", "2026-07-18T09:30:00"
    if not Path(begun_mark(job)).exists():
        back = (NOTES / f"{job}.back").exists()
        return "PENDING", "BeginTime" if back else "Dependency", "", "N/A"
    doing = "SUSPENDED" if (NOTES / f"{job}.suspended").exists() else "RUNNING"
    begun = datetime.fromtimestamp(Path(begun_mark(job)).stat().st_mtime)
    return doing, "None", "here", begun.isoformat(timespec="seconds")


def ended(job: str) -> str:
    return "CANCELLED" if (NOTES / f"{job}.cancelled").exists() else "COMPLETED"


def scancel() -> None:
    job = sys.argv[-1]
    number = next((w.partition("=")[2] for w in sys.argv if w.startswith("--signal=")), "")
    if number:
        os.kill(pid(job), int(number) if number.isdigit() else signal.Signals[f"SIG{number}"])
        return
    go_on(job)
    (NOTES / f"{job}.cancelled").touch()
    for each in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # see `alive`
            os.killpg(pid(job), each)
        deadline = time.monotonic() + 30
        while alive(job) and time.monotonic() < deadline:
            time.sleep(0.1)


def scontrol() -> None:
    {"requeue": requeue, "suspend": suspend, "resume": go_on}[sys.argv[1]](sys.argv[-1])


def suspend(job: str) -> None:
    (NOTES / f"{job}.suspended").touch()
    for process in processes_of(job):
        os.kill(process, signal.SIGSTOP)


def go_on(job: str) -> None:
    suspended = NOTES / f"{job}.suspended"
    if not suspended.exists():
        return
    suspended.unlink()
    for process in processes_of(job):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def requeue(job: str) -> None:
    """Put a job back as when its node is lost: its processes are gone without a word."""
    for mark in (NOTES / f"{job}.back", Path(f"{begun_mark(job)}.full")):
        mark.touch()
    for process in processes_of(job):
        os.kill(process, signal.SIGKILL)
    Path(begun_mark(job)).unlink()
    argv = ["/bin/sh", "-c", AFTER, "after", "nobody", begun_mark(job), str(NOTES / f"{job}.sh")]
    nowhere = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    environment = {**os.environ, "SLURM_JOB_ID": job}
    begun = subprocess.Popen(argv, env=environment, start_new_session=True, **nowhere)
    (NOTES / f"{job}.pid").write_text(str(begun.pid))


def processes_of(job: str) -> list[int]:
    """Of this account and no other: every Slurm of one node begins to count at 1."""
    wanted = {f"SLURM_JOB_ID={job}".encode(), f"HOME={Path.home()}".encode()}
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted <= set((directory / "environ").read_bytes().split(b"\0")):
                found.append(int(directory.name))
    return found


def pid(job: str) -> int:
    return int((NOTES / f"{job}.pid").read_text())


def alive(job: str) -> bool:
    """Whether it runs; the number of one that has ended may be somebody else's by now."""
    process = Path(f"/proc/{pid(job)}")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" and process.stat().st_uid == os.geteuid()
    except OSError:
        return False


if __name__ == "__main__":
    command = Path(sys.argv[0]).name
    NOTES.mkdir(exist_ok=True)
    with (NOTES / "commands").open("a") as noted:
        noted.write(f"{command}\n")
    called = f"{command}-test" if "--test-only" in sys.argv else command
    if (refuses := NOTES / f"refuses-{called}").exists():
        time.sleep(float(refuses.read_text()))
        sys.exit(f"{command}: error: Access/permission denied")
    commands = {"sbatch": sbatch, "squeue": squeue, "scancel": scancel, "scontrol": scontrol}
    commands[command]()

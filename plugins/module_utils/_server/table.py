# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where notebook servers run, as a table for a person. Pure: what hosts answered in, lines out."""

from __future__ import annotations

from typing import Container, Iterator, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import moment_of
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils._server import limits
from ansible_collections.hpcc.notebook.plugins.module_utils._server.neighbours import name_of
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Variables

HEAD = ("HOST", "STATE", "STARTED", "FRONT END", "KERNELS", "LAST USED", "MEMORY", "CERTIFICATE")
CPU = "CPU TIME"
MEASURED = ("kernels", "memory", "memory_used", "memory_limit")  # of a job, by itself
OLD = 180.0  # seconds after which a figure is said to be old
MUTE = "unknown"
UNREACHABLE = "unreachable"
NOT_ASKED = "not asked"
STRANGER = "not in inventory"
OVER = "job over"
LIVING = ("running", "starting", "session lost")
_UNITS = (("days", 86400), ("h", 3600), ("min", 60))


def rows(
    answers: Mapping[str, Variables],
    hosts: Mapping[str, Variables],
    jobs: Sequence[Variables] = (),
) -> list[Variables]:
    """One description for each host that was asked, and for each that only a record speaks of.

    Args:
        answers: what notebook_server_info returned, or how it failed, by the name in the inventory.
        hosts: the variables of every host, by the same name.
        jobs: what notebook_job found.
    """
    serving = {(job["host"], job["job"]): job for job in jobs if job.get("state") == "started"}
    recorded = {
        name_of(hosts, str(server["host"])) or str(server["host"]): server
        for server in _servers(answers)
        if not server.get("seen")
    }
    asked = [_row(name, answers[name], recorded.get(name, {})) for name in answers]
    strangers = [
        {
            **server,
            **_measured(serving.get((server["host"], server.get("job")), {})),
            "name": name,
            "state": _state(server, name in hosts, serving),
        }
        for name, server in recorded.items()
        if name not in answers
    ]
    return [*asked, *strangers]


def _measured(job: Variables) -> Variables:
    """What a job has noted of its server."""
    return {name: job[name] for name in MEASURED if name in job}


def _state(server: Variables, known: bool, serving: Container[tuple[object, object]]) -> str:
    """What a record alone says; of a job, its scheduler says more."""
    if "job" in server:
        return "running" if (server["host"], server["job"]) in serving else OVER
    return NOT_ASKED if known else STRANGER


def of_jobs(jobs: Sequence[Variables], now: float) -> list[str]:
    """A line for each job: how long it goes on, why it waits, or why it has ended."""
    lines = (line for job in jobs for line in (_of_job(job, now), *following(job)))
    return list(dict.fromkeys(map(printable, lines)))


def following(job: Variables) -> list[str]:
    """A line for the successor of a job, where there is one."""
    reason = job.get("successor_reason")
    if not job.get("successor"):
        return [f"Its successor {reason}"] if reason else []
    why = f" ({reason})" if reason else ""
    what = f"Job {job['successor']} waits in the queue{why}"
    return [f"{what}: it begins when job {job['job']} has ended"]


def _of_job(job: Variables, now: float) -> str:
    if "asked" not in job:
        return f"The scheduler was not asked for the job: {job.get('msg')}"
    what = f"Job {job['job']}"
    if job["state"] == "started":
        left = time_left(str(job["ends"]), now)
        stands = f"; {job['stalled']}" if job.get("stalled") else ""
        return f"{what} on {job['host']} ({job['asked']}): {left}{stands}{_used(job, now)}"
    if job["state"] == "starting":
        does = job.get("stalled") or "its server starts"
        return f"{what} runs on {job['node'] or 'a node'}; {does}"
    when = f"; expected to start at {job['expected']}" if job["expected"] else ""
    verb = "waits in the queue: " if job["state"] == "waiting" else ""
    return f"{what} {verb}{job['reason'] or 'no reason is known'}{when} ({job['asked']})"


def _used(job: Variables, now: float) -> str:
    """Of its memory, as the job has last noted it."""
    if (then := moment_of(str(job.get("measured", "")))) is None:
        return ""
    old = f" ({ago(str(job['measured']), now)})" if now - then > OLD else ""
    near = "".join(f"; {each}" for each in _list(job.get("near")))
    return f"; memory: {limits.memory(job)}{old}{near}"


def time_left(ends: str, now: float) -> str:
    """What is left until a moment in UTC, as people say it."""
    then = moment_of(ends)
    if then is None:
        return "its end is not known"
    if then <= now:
        return "its walltime is over"
    return f"{limits.spoken(max(1, int(then - now)))} left, until {ends}"


def table(found: Sequence[Variables], now: float) -> list[str]:
    """The rows beneath their heads, each column as wide as it has to be."""
    limited = any(limits.cpu_time(row) for row in found)
    cells = [HEAD, *(_cells(row, now) for row in found)]
    if limited:  # most hosts limit no process
        times = [CPU, *(limits.cpu_time(row) or "-" for row in found)]
        cells = [(*line, time) for line, time in zip(cells, times)]
    widths = [max(len(cell) for cell in column) for column in zip(*cells)]
    padded = ("  ".join(map(str.ljust, line, widths)) for line in cells)
    return [line.rstrip() for line in padded]


def remarks(found: Sequence[Variables], answers: Mapping[str, Variables]) -> list[str]:
    """What does not fit in a table: notes, and records that nobody can read."""
    noted = [f"{row['name']}: {printable(note)}" for row in found for note in _notes(row)]
    damaged = (line for answer in answers.values() for line in _list(answer.get("damaged")))
    return [*noted, *dict.fromkeys(printable(line) for line in damaged)]


def homes(answers: Mapping[str, Variables]) -> list[str]:
    """The person's quota; once, where hosts share a home."""
    told = {name: limits.home(answer) for name, answer in answers.items()}
    lines = dict.fromkeys(filter(None, told.values()))
    if len(lines) < 2:
        return list(lines)
    return [f"{name}: {line}" for name, line in told.items() if line]


def living(found: Sequence[Variables]) -> list[Variables]:
    """Those that a tunnel leads to."""
    return [row for row in found if row["state"] in LIVING]


def ago(moment: str, now: float) -> str:
    """A moment in UTC, such as 2026-07-18T09:30:00Z, as people say it."""
    then = moment_of(moment)
    if then is None:
        return "-"
    seconds = max(0.0, now - then)
    for unit, size in _UNITS:
        if seconds >= (2 * size if unit == "days" else size):
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def _servers(answers: Mapping[str, Variables]) -> Iterator[Variables]:
    for answer in answers.values():
        servers = answer.get("servers")
        yield from servers if isinstance(servers, list) else []


def _row(name: str, answer: Variables, recorded: Variables) -> Variables:
    """What a host says of itself; when it says nothing, what others have of it."""
    own = [server for server in _servers({name: answer}) if server.get("seen")]
    if own:
        return {**own[0], "name": name, "certificate_days": answer.get("certificate_days")}
    state = MUTE if answer.get("reached", True) else UNREACHABLE
    return {**recorded, "name": name, "state": state, "notes": [_reason(answer)]}


def _reason(answer: Variables) -> str:
    return str(answer.get("msg") or "it was not asked").strip().splitlines()[0]


def _notes(row: Variables) -> list[object]:
    return _list(row.get("notes"))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _cells(row: Variables, now: float) -> tuple[str, ...]:
    days = row.get("certificate_days")
    alive = row["state"] in (*LIVING, "silent")
    found = (
        row["name"],
        row["state"],
        ago(str(row.get("since", "")), now),
        row.get("version"),
        row.get("kernels"),
        ago(str(row.get("last_activity", "")), now),
        limits.memory(row),
        f"{days} days" if alive and isinstance(days, int) else None,
    )
    return tuple("-" if cell is None else printable(cell) for cell in found)

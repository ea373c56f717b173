# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: another server in the job that there is, where the job is worth it."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Iterator

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import moment_of
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import (
    files,
    generations,
    processes,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job import submission as job_record
from ansible_collections.hpcc.notebook.plugins.module_utils._job.look import (
    by_files,
    look,
    moments,
    with_files,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.replacement import answered, ask
from ansible_collections.hpcc.notebook.plugins.module_utils._job.request import ANYTHING, Request
from ansible_collections.hpcc.notebook.plugins.module_utils._job.scheduler import Planned, Scheduler
from ansible_collections.hpcc.notebook.plugins.module_utils._job.stop import ORDERLY_WITHIN
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submission import (
    AGAIN,
    Submission,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._job.submit import locked
from ansible_collections.hpcc.notebook.plugins.module_utils._job.view import (
    STARTED,
    STARTING,
    View,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.place import startable
from ansible_collections.hpcc.notebook.plugins.module_utils._server.session import person
from ansible_collections.hpcc.notebook.plugins.module_utils._server.start import (
    MODULES_WITHIN,
    require_modules,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.trial import require_serving

WORTH = 300.0  # seconds that a job has to have left for another server in it
NOTHING_RUNS = "Nothing runs now; start submits another job."


def restarted_in_place(
    layout: Layout, scheduler: Scheduler, request: Request, planned: Planned
) -> View | None:
    """Another server in the job that there is; None where that takes a new job.

    The job tries it beside the one that serves, which goes on where that fails.
    """
    with locked(layout, request, check=False):
        view = _settled(layout, scheduler, request)
        submitted = view.submission
        if submitted is None or not _fits(view, request, planned):
            return None
        asked = ask(layout, submitted, request.launch, request.timeout)
        if not scheduler.signal(submitted.job, AGAIN):
            return None
        served = _answered(layout, view, asked)
    return served or _silent(layout, scheduler, asked)


def _settled(layout: Layout, scheduler: Scheduler, request: Request) -> View:
    """The job; a server that comes up in it, as after a restart that was killed, is waited for."""
    view = look(layout, scheduler)
    return by_files(layout, view, request.timeout) if view.state == STARTING else view


def _answered(layout: Layout, view: View, asked: Submission) -> View | None:
    """The job with the server that was asked for; None where it does not answer."""
    for _look in moments(_within(asked)):
        view = with_files(layout, view)
        if view.end:
            raise NotebookError(f"{_job(asked)} has {view.reason}", _log(layout), NOTHING_RUNS)
        answer = answered(layout, asked)
        if answer and answer.reason:
            raise NotebookError(f"{_job(asked)} was given no other server: {answer.reason}")
        if answer and view.server and view.server.pid == answer.pid:
            return view
    return None


def _within(asked: Submission) -> float:
    """Seconds for modules, for a trial, an end in order and a start, and for another start."""
    return MODULES_WITHIN + ORDERLY_WITHIN + 3 * asked.timeout


def _silent(layout: Layout, scheduler: Scheduler, asked: Submission) -> View:
    """Say what is known of a job that has not answered."""
    view = look(layout, scheduler)
    if not view.alive:
        raise NotebookError(f"{_job(asked)} has {view.reason}", _log(layout), NOTHING_RUNS)
    what = f"{_job(asked)} has not answered for {_within(asked):g} s; what served may still do"
    raise NotebookError(what, _log(layout), "Look with status; stop ends it.")


def _job(asked: Submission) -> str:
    return f"job {asked.job}"


def _log(layout: Layout) -> str:
    return job_record.log_path(layout)


def require_serving_here(layout: Layout, request: Request) -> None:
    """Try on this host what is to replace a server, before its job is ended for that."""
    held, python = startable(layout), generations.pinned(sys.executable)
    files.make_private_directory(held.local)
    with processes.locked(held.lock, request.timeout):
        require_modules(request.launch, layout.home, *person(layout.uid))
        require_serving(held, request.launch, python, request.timeout)


@contextlib.contextmanager
def nothing_left_of(ended: str) -> Iterator[None]:
    """Say of what fails in here that the job which served has ended already."""
    try:
        yield
    except NotebookError as error:
        left = f"{ended[:1].upper()}{ended[1:]}, so nothing runs now." if ended else ""
        raise NotebookError(error.what, error.where, f"{error.todo} {left}".strip()) from error


def _fits(view: View, request: Request, planned: Planned) -> bool:
    """Whether the job has what is asked for, and time enough to be worth it."""
    if view.state != STARTED or view.submission is None or view.server is None:
        return False
    if view.known and view.known.stalled:
        return False  # it would not answer
    same = request.wanted == ANYTHING or view.submission.asked == planned.asked
    left = (moment_of(view.server.ends) or 0) - time.time()
    return same and left > WORTH

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a worker on the host, or joins the one that runs there, and stays until its end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import (
    installers,
    refusals,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.installers import (
    Installer,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
    record,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.plan import (
    ADOPT,
    CLEAN,
    INSTALL,
    PACKAGES,
    REMOVE,
    Plan,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.progress import progress
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.progress_display import (
    Reporter,
)

BUSY = "75"
_CHANGES = (INSTALL, PACKAGES, ADOPT)
_NOT_TRIED: dict[str, object] = {"KIB": "", "INODES": ""}
_GOES_ON = "It goes on there even when this connection ends (Ctrl-C); the next run joins it."
# Tenths of a second that a poll waits on the host: short at first, for words to come soon.
_FIRST_WAIT, _LONGEST_WAIT = 1, 10
# A worker frees the lock just before it writes how it ended.
_LOOKS_AT_NOTHING = 3
# Seconds without a sign of life from another host: a network file system may show an old time for
# a minute.
_SILENT = 180.0
_LONGEST_WORK = 3600
# Seconds between the attempts to reach the host again, when a laptop slept or a network broke.
_PAUSES = (0.2, 2, 5, 10)


class CondaWorker:
    """The worker of one installation."""

    def __init__(
        self,
        execute: host_shell.Execute,
        put_file: Callable[[str, str], Any],
        options: Mapping[str, Any],
        reporter: Reporter,
    ) -> None:
        self._execute = execute
        self._put_file = put_file
        self._options = options
        self._reporter = reporter

    def work(self, plan: Plan, installer: Installer, seen: Observed) -> None:
        """Return when the worker has ended; raise when it was ours and it failed."""
        with self._reporter.watching():
            self._join_or_start(plan, installer, seen)

    def _join_or_start(self, plan: Plan, installer: Installer, seen: Observed) -> None:
        if seen.held == "elsewhere":
            self._reporter.say(f"{refusals.works(seen)}; waiting for its end")
            self._wait(seen)
            return
        if seen.held == "alive":
            since = seen.holder.get("since")
            self._reporter.say(f"joining the installation that has been going on since {since}")
            self._watch(seen.prefix, seen.holder["run"], own=False)
            return
        run = uuid.uuid4().hex[:12]
        self._start(run, plan, installer, seen)
        self._judge(self._watch(seen.prefix, run, own=True), run, seen)

    def _start(self, run: str, plan: Plan, installer: Installer, seen: Observed) -> None:
        where = {"PREFIX": seen.prefix, "OWNER": self._options["owner"], "RUN": run}
        complete = plan.generation in seen.complete
        room = self._room(plan, installer, complete)
        settings = {**self._settings(plan, installer), **room}
        if self._wants_upload(plan, installer, seen):
            self._upload(installer, {**where, **room})
            room = _NOT_TRIED
        program = host_shell.worker({**where, **settings})
        where["GROUP"] = self._options["group"]
        host_shell.ask(self._execute, "start", WORKER=program, **where, **room)
        self._reporter.say(f"working on {seen.prefix}: {plan.reason}. {_GOES_ON}")

    def _room(self, plan: Plan, installer: Installer, complete: bool) -> dict[str, object]:
        """What the whole job needs; nothing is tried for what makes room."""
        if plan.job in (REMOVE, CLEAN):
            return _NOT_TRIED
        if plan.job != INSTALL or complete:
            return {"KIB": 0, "INODES": 0}
        facts = installers.DISTRIBUTIONS[installer.distribution]
        return {"KIB": facts.kib, "INODES": facts.inodes}

    def _wants_upload(self, plan: Plan, installer: Installer, seen: Observed) -> bool:
        there = plan.generation in seen.complete or f"{installer.sha256}.sh" in seen.downloads
        here = self._options["download_on"] == "controller"
        return plan.job == INSTALL and here and not there

    def _upload(self, installer: Installer, where: Mapping[str, object]) -> None:
        # Few ask for it, and each playbook that looks at an installation would wait for its TLS.
        from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import (
            installer_cache,
        )

        limit = self._options["download_timeout"]
        self._reporter.say(f"fetching {installer.url} to this computer")
        path = installer_cache.fetch(installer.url, installer.sha256, limit, self._reporter.show)
        work = host_shell.ask(self._execute, "start", WORKER="", **where)["work"][0]
        size = path.stat().st_size // 2**20
        self._reporter.say(f"copying the installer to the host, {size} MiB")
        self._put_file(str(path), f"{work}/upload")

    def _settings(self, plan: Plan, installer: Installer) -> dict[str, object]:
        return {
            "JOB": plan.job,
            "GENERATION": plan.generation,
            "DISTRIBUTION": installer.distribution,
            "VERSION": installer.version,
            "SHA256": installer.sha256,
            "URL": installer.url,
            "DEADLINE": self._options["download_timeout"],
            "PACKAGES": "\n".join(self._options["packages"]) if plan.job in _CHANGES else "",
            "PACKAGES_FROM": self._options["packages_from"],
            "AGAIN": " ".join(self._again(plan)),
            "LOST_FILES": host_shell.LOST_FILES.read_text(encoding="utf-8"),
            "LEASES": host_shell.LEASES.read_text(encoding="utf-8"),
            "OWN_LEASE": host_shell.OWN_LEASE.read_text(encoding="utf-8"),
            "INDEX_URL": self._options["index_url"] or "",
            "CHANNELS": " ".join(self._options["channels"]),
            "TERMS_ACCEPTED": "yes" if self._options["accept_terms"] else "",
        }

    def _again(self, plan: Plan) -> list[str]:
        """The names that pip or conda knows them by."""
        if self._options["packages_from"] == "pip":
            return [each["name"] for each in plan.again]
        names = [(each["name"], each.get("conda", "-")) for each in plan.again]
        return [name if conda == "-" else conda for name, conda in names]

    def _watch(self, prefix: str, run: str, *, own: bool) -> Answers:
        """What the worker wrote at its end; nothing when it vanished without a word.

        That of another run is waited for until its lock is free.
        """
        wait, nothing = _FIRST_WAIT, 0
        while nothing < _LOOKS_AT_NOTHING:
            found = self._poll(prefix, run, wait, own)
            if "code" in found and own:
                return found
            held, holder = found["held"][0], record(found["holder"][0])
            working = held == "alive" and holder["run"] == run
            if ("gone" in found and not working) or (held == "dead" and holder["run"] == run):
                return {}
            nothing = 0 if working else nothing + 1
            self._reporter.show(progress(found))
            wait = min(_LONGEST_WAIT, wait * 2)
        return {}

    def _wait(self, seen: Observed) -> None:
        """Until a worker on another host of this home has freed the lock, as long as it lives."""
        last: object = None
        began = alive = time.monotonic()
        limit = self._options["download_timeout"] + _LONGEST_WORK
        while time.monotonic() < began + limit:
            found = self._poll(seen.prefix, seen.holder["run"], _LONGEST_WAIT, own=False)
            if record(found["holder"][0]).get("run") != seen.holder["run"]:
                return
            now = [found.get(name) for name in ("life", "phase", "bytes", "detail")]
            if now != last:
                last, alive = now, time.monotonic()
            elif time.monotonic() > alive + _SILENT:
                break
            self._reporter.show(progress(found))
        silent = f", and has shown no life for {time.monotonic() - alive:.0f} s"
        raise refusals.held_elsewhere(seen, silent)

    def _poll(self, prefix: str, run: str, tenths: int, own: bool) -> Answers:
        """How far it is. The worker needs no connection, so a lost one is re-established."""
        settings = {"PREFIX": prefix, "RUN": run, "TENTHS": tenths, "OWN": "yes" if own else ""}
        for pause in (*_PAUSES, None):
            try:
                return host_shell.ask(self._execute, "poll", **settings)
            except (AnsibleConnectionFailure, host_shell.NoAnswerError) as error:
                lost = error
            if pause is not None:
                self._reporter.say("the connection was lost; trying again")
                time.sleep(pause)
        raise AnsibleConnectionFailure(
            f"{lost} The installation goes on on the host; run again to join it."
        ) from None

    def _judge(self, found: Answers, run: str, seen: Observed) -> None:
        """A busy lock and a vanished worker are no failures: the next look decides."""
        code = found.get("code", [BUSY])[0]
        for held in found.get("stays", []):
            self._reporter.say(f"{held}; a later upgrade removes it")
        if code in ("0", BUSY):
            return
        log = f"{seen.prefix}.d/logs/{run}.log"
        end = " | ".join(line for line in found.get("log", []) if line.strip())
        raise NotebookError(
            what=f"{found['message'][0]} (log: {log}; its end: {end})",
            where=seen.prefix,
            todo=f"{found['todo'][0]}." if found.get("todo", [""])[0] else "",
        )

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leads an installation from the controller; its options are in the module of the same name."""

from __future__ import annotations

from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import SETUP
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import (
    installers,
    refusals,
    rollback,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import (
    plan as installation,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
    observed,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import rules
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import (
    host_shell,
    packages,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation.conda_worker import (
    CondaWorker,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.turns import InTurn
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.progress_display import (
    Reporter,
)

ARGUMENTS = {
    "prefix": {"type": "str", "default": "~/anaconda"},
    "distribution": {
        "type": "str",
        "default": "anaconda",
        "choices": list(installers.DISTRIBUTIONS),
    },
    "version": {"type": "str"},
    "url": {"type": "str"},
    "sha256": {"type": "str"},
    "accept_terms": {"type": "bool", "default": False},
    "packages": {"type": "list", "elements": "str", "default": []},
    "packages_from": {"type": "str", "default": "pip", "choices": ["pip", "conda"]},
    "index_url": {"type": "str"},
    "channels": {"type": "list", "elements": "str", "default": []},
    "download_on": {"type": "str", "default": "host", "choices": ["host", "controller"]},
    "download_timeout": {"type": "int", "default": 7200},
    "adopt": {"type": "bool", "default": False},
    "owner": {"type": "str", "default": ""},
    "group": {"type": "str", "default": ""},
    "state": {
        "type": "str",
        "default": "present",
        "choices": ["present", "found", "rolled_back", "absent"],
    },
}
RULES = {
    "prefix": "prefix",
    "owner": "owner",
    "group": "group",
    "version": "version",
    "url": "installer_url",
    "sha256": "sha256",
    "packages": "packages",
    "index_url": "index_url",
    "channels": "channels",
    "download_timeout": "seconds",
}
# The other ways to a plan; `present` needs to know an installer first.
PLANS = {"rolled_back": rollback.roll_back, "absent": rollback.remove}
NO_INSTALLER = installers.Installer("", "", "", "")
# Joining the worker of somebody else may show, at its end, that our own is still needed.
_ROUNDS = 5


class ActionModule(InTurn, host_shell.HostShellAction):
    """Observe, decide, work unless only checking, report from the plan."""

    def takes_turns(self) -> bool:
        """What is removed by one node is gone for the next one."""
        return self._task.args.get("state") == "absent"

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Give the result of the task; whatever a person can act on comes as its message."""
        result = super().run(tmp, task_vars)
        try:
            self._options = self._checked_options()
            result.update(
                self._find() if self._options["state"] == "found" else self._ensure(task_vars or {})
            )
        except NotebookError as error:
            result.update(failed=True, msg=typed(str(error)))
        return result

    def _checked_options(self) -> dict[str, Any]:
        _validated, options = self.validate_argument_spec(
            argument_spec=ARGUMENTS, required_together=[("url", "sha256")]
        )
        for name, rule in RULES.items():
            if options[name] is not None:
                rules.require(name, rule, options[name])
        if options["state"] == "present":
            refusals.refuse_terms(options["distribution"], options["accept_terms"])
        return options

    def _ensure(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        seen = self._probe()
        plan = self._decide(seen)
        result = {
            "changed": bool(plan.job),
            "reason": plan.reason,
            "diff": self._diff(plan, seen),
        }
        doubt = rollback.doubt(seen) if plan.job else ""
        if doubt:
            terminal.warn(doubt)
        if plan.job and not self._task.check_mode:
            seen = self._work(plan, seen, task_vars)
            plan = self._decide(seen)
        if self._options["state"] == "absent":
            return {**result, "prefix": seen.prefix, "kept": list(seen.inside)}
        return {**result, **self._facts(plan, self._installer(plan, seen), seen)}

    def _find(self) -> dict[str, Any]:
        seen = self._probe()
        if not seen.marker or not seen.python:
            raise NotebookError(
                what="there is no complete installation",
                where=seen.prefix,
                todo=f"Install it first: {SETUP}",
            )
        installer = self._installed(seen.live, seen)
        plan = installation.Plan("", f"{seen.live} is complete", seen.live)
        return {"changed": False, "reason": plan.reason, **self._facts(plan, installer, seen)}

    def _work(
        self,
        plan: installation.Plan,
        seen: Observed,
        task_vars: dict[str, Any],
    ) -> Observed:
        alone = len(task_vars.get("ansible_play_batch", [])) <= 1
        reporter = Reporter(task_vars.get("inventory_hostname", seen.prefix), alone)
        worker = CondaWorker(self._execute, self._transfer_file, self._options, reporter)
        left = ""  # what was live before this call itself went to another generation
        for _round in range(_ROUNDS):
            try:
                worker.work(plan, self._installer(plan, seen), seen)
            except NotebookError:
                back = installation.back(left, seen)
                if back.job:
                    worker.work(back, self._installed(back.generation, seen), seen)
                raise
            if plan.job == installation.INSTALL and seen.held != "alive":
                left = left or seen.live
            seen = self._probe()
            plan = self._decide(seen)
            if not plan.job:
                return seen
        raise NotebookError(
            what=f"the work ended again and again without a complete installation: {plan.reason}",
            where=seen.prefix,
            todo=f"Look at the newest log in {seen.prefix}.d/logs on the host.",
        )

    def _probe(self) -> Observed:
        options = self._options
        adopt = "yes" if options["adopt"] else ""
        settings = {
            "PREFIX": options["prefix"],
            "OWNER": options["owner"],
            "STATE": options["state"],
            "ADOPT": adopt,
            "DISTRIBUTIONS": "\n".join(installers.signs()),
            "LOST_FILES": host_shell.LOST_FILES.read_text(encoding="utf-8"),
            "LEASES": host_shell.LEASES.read_text(encoding="utf-8"),
            "NAMES": " ".join(packages.name_of(wanted) for wanted in options["packages"]),
        }
        return observed(host_shell.ask(self._execute, "probe", **settings))

    def _installer(self, plan: installation.Plan, seen: Observed) -> installers.Installer:
        """What the generation of the plan was made by, or will be."""
        if self._options["state"] == "absent":
            return NO_INSTALLER
        if self._options["state"] == "rolled_back" or plan.generation == installation.ADOPTED:
            return self._installed(plan.generation, seen)
        return self._wanted(seen)

    def _installed(self, generation: str, seen: Observed) -> installers.Installer:
        marker = seen.complete.get(generation) or seen.foreign
        known = [marker.get(name, "") for name in ("distribution", "version", "url", "sha256")]
        return installers.own(*known)

    def _wanted(self, seen: Observed) -> installers.Installer:
        options = self._options
        distribution, version = options["distribution"], options["version"] or ""
        if options["url"]:
            return installers.own(distribution, version, options["url"], options["sha256"])
        return installers.pinned(distribution, version, seen.machine.split(" ")[-1])

    def _decide(self, seen: Observed) -> installation.Plan:
        if self._options["state"] in PLANS:
            plan = PLANS[self._options["state"]](seen)
            refusals.refuse(plan, NO_INSTALLER, False, seen)
            return plan
        installer = self._wanted(seen)
        wanted = self._options["packages"]
        missing = packages.missing(wanted, packages.installed(seen))
        adopt, group = self._options["adopt"], self._options["group"]
        refusals.refuse_group(group, seen)
        plan = installation.decide(installer, wanted, missing, seen, adopt, group)
        refusals.refuse(plan, installer, self._options["download_on"] == "host", seen)
        return plan

    def _diff(self, plan: installation.Plan, seen: Observed) -> dict[str, str]:
        wanted = self._options["packages"] if self._options["state"] == "present" else []
        have = packages.held(wanted, packages.installed(seen))
        return installation.diff(plan, wanted, have, seen)

    def _facts(
        self, plan: installation.Plan, installer: installers.Installer, seen: Observed
    ) -> dict[str, Any]:
        found = packages.installed(seen)
        names = [packages.name_of(wanted) for wanted in self._options["packages"]]
        return {
            "home": seen.home,
            "prefix": seen.prefix,
            "generation": f"{seen.prefix}.d/{plan.generation}",
            "distribution": installer.distribution,
            "version": installer.version,
            "sha256": installer.sha256,
            "python": self._python(seen),
            "packages": {name: found[name] for name in names if name in found},
        }

    def _python(self, seen: Observed) -> str:
        """Only a check run can come here without an installation."""
        if seen.python:
            return f"{seen.prefix}/bin/python"
        if not seen.host_python:
            terminal.warn(
                "The host has no Python 3.8 or newer yet, so this check run cannot predict what "
                "will run on the installation's own: profile, certificate, password, server."
            )
        return seen.host_python

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every main() does: decide, apply unless this is a check run, report from the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping, Protocol, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable


@dataclass(frozen=True)
class Plan:
    """What a module found and what it is going to do about it, decided without side effects.

    Args:
        reasons: why something changes; nothing does when there are none.
        apply: makes the changes, and gives what is known only after them.
        diff: what Ansible shows for --diff, the same in a check run and in a real one.
        result: what the module reports in any case.
        warnings: what a person should know although it works.
    """

    reasons: Sequence[str]
    apply: Callable[[], Mapping[str, object]]
    diff: Sequence[Mapping[str, str]] = ()
    result: Mapping[str, object] = field(default_factory=dict)
    warnings: Sequence[str] = ()


class Module(Protocol):
    """The part of AnsibleModule that is needed here."""

    params: dict[str, Any]
    check_mode: bool

    def warn(self, warning: str) -> None: ...
    def exit_json(self, **kwargs: Any) -> None: ...
    def fail_json(self, msg: str, **kwargs: Any) -> None: ...


Decide = Callable[[Mapping[str, Any]], Plan]


def run(module: Module, decide: Decide) -> None:
    """Carry a module out, from its parameters to its report."""
    try:
        plan = decide(module.params)
        learned = _applied(module, plan)
    except NotebookError as error:
        module.fail_json(msg=str(error))
        return
    _warn(module, [plan])
    module.exit_json(diff=[dict(part) for part in plan.diff], **_report(plan, learned))


def run_together(module: Module, resources: Mapping[str, Decide]) -> None:
    """The same for several resources: all are decided before the first is changed."""
    try:
        plans = {name: decide(module.params) for name, decide in resources.items()}
        learned = {name: _applied(module, plan) for name, plan in plans.items()}
    except NotebookError as error:
        module.fail_json(msg=str(error))
        return
    _warn(module, plans.values())
    module.exit_json(
        changed=any(plan.reasons for plan in plans.values()),
        reason="; ".join(f"{n}: {reason}" for n, plan in plans.items() for reason in plan.reasons),
        diff=[dict(part) for plan in plans.values() for part in plan.diff],
        **{name: _report(plan, learned[name]) for name, plan in plans.items()},
    )


def _applied(module: Module, plan: Plan) -> Mapping[str, object]:
    return plan.apply() if plan.reasons and not module.check_mode else {}


def _warn(module: Module, plans: Iterable[Plan]) -> None:
    for warning in (warning for plan in plans for warning in plan.warnings):
        module.warn(printable(warning))


def _report(plan: Plan, learned: Mapping[str, object]) -> dict[str, Any]:
    changed = {"changed": bool(plan.reasons), "reason": "; ".join(plan.reasons)}
    return {**changed, **plan.result, **learned}

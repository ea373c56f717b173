# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the variables of a role before anything is changed. Contacts no host.

The decisions are in module_utils/_validation/variables.py and rules.py; here, values are looked up.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import RULES
from ansible_collections.hpcc.notebook.plugins.module_utils._validation.relations import RELATIONS
from ansible_collections.hpcc.notebook.plugins.module_utils._validation.variables import (
    NO_TEMPLATE,
    SECRET_RULES,
    Variables,
    misspelt,
    origin,
    unknown,
    unresolved,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.call import typed
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.route_check import way_problems

_LOGIN_NAMES = ("ansible_user", "ansible_host", "inventory_hostname")


class ActionModule(ActionBase):
    """Collect everything that is wrong, so that a person corrects it once."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.pop("invocation", None)
        lines, warnings = self._judge(task_vars or {})
        lines = lines or self._account_problems() or self._way_problems(task_vars or {})
        for warning in warnings:
            terminal.warn(warning)
        said = typed("\n".join(lines))
        return {**result, "changed": False, "failed": bool(lines), "msg": said}

    def _judge(self, task_vars: dict[str, Any]) -> tuple[list[str], list[str]]:
        demands, also, prefix = self._options()
        specs = self._specs()
        secret = {name for name, spec in specs.items() if spec.get("no_log")}
        secret |= {name for name, demand in demands.items() if demand in SECRET_RULES}
        relations = self._relations()
        related = chain.from_iterable(relations.values())
        values, unreadable = self._values(task_vars, [*specs, *demands, *related], secret)
        broken = [line.split(":")[0] for line in unreadable]
        variables = Variables(
            values=values,
            specs={name: spec for name, spec in specs.items() if name not in broken},
            demands={name: demand for name, demand in demands.items() if name not in broken},
            relations=relations,
            names=tuple(self._values(task_vars, list(_LOGIN_NAMES))[0].values()),
            origins={name: _origin(name, task_vars) for name in values},
        )
        known = [*specs, *demands, *also, *self._specs_of_others()]
        given = sorted(task_vars) if prefix else []
        strangers, slips = unknown(given, prefix, known), misspelt(given, prefix, known)
        return strangers + unreadable + variables.problems(), variables.warnings() + slips

    def _way_problems(self, task_vars: dict[str, Any]) -> list[str]:
        """What would be noticed only when a login or the tunnel's command is made of it."""
        by_ssh = getattr(self._connection, "transport", "") == "ssh"
        by_ansible = by_ssh and boolean(self._task.args.get("by_ansible", True))
        return way_problems(task_vars, self._task.args.get("tunnel"), by_ansible)

    def _account_problems(self) -> list[str]:
        """What is made as somebody else is out of reach of the login, which is what opens it."""
        asked = boolean(self._task.args.get("own_account", False))
        if not asked or not self._play_context.become:
            return []
        other = self._play_context.become_user or "root"
        return [
            f"become: this would work as {other}, and a notebook belongs to the account that logs "
            "in. Put ansible_become=false below [all:vars] of the inventory; that wins."
        ]

    def _options(self) -> tuple[dict[str, Any], list[str], str]:
        """The arguments of the task; a rule that does not exist is our own mistake."""
        arguments = self._task.args
        demands = dict(arguments.get("rules") or {})
        missing = [d for d in demands.values() if not isinstance(d, list) and d not in RULES]
        if missing:
            raise AnsibleActionFail(f"check_variables has no rule named {missing[0]}.")
        role = f"{self._task._role.get_name().split('.')[-1]}_" if self._task._role else ""
        return demands, list(arguments.get("also") or []), str(arguments.get("prefix") or role)

    def _relations(self) -> dict[str, list[str]]:
        relations = dict(self._task.args.get("relations") or {})
        missing = [name for name in relations if name not in RELATIONS]
        if missing:
            raise AnsibleActionFail(f"check_variables has no relation named {missing[0]}.")
        return relations

    def _specs(self) -> dict[str, Any]:
        """What the role declares in meta/argument_specs.yml, its secrets included."""
        if not self._task._role:
            return {}
        return _declared(Path(self._task._role._role_path))

    def _specs_of_others(self) -> list[str]:
        """The variables of roles beside this one: they are spelt as there, or not at all."""
        if not self._task._role:
            return []
        beside = Path(self._task._role._role_path).parent
        others = self._task.args.get("roles") or []
        return [name for other in others for name in _declared(beside / other)]

    def _values(
        self, task_vars: dict[str, Any], names: list[str], secret: Collection[str] = ()
    ) -> tuple[dict[str, Any], list[str]]:
        """The templated values, and a line for each that cannot be templated."""
        values: dict[str, Any] = {}
        unreadable = []
        for name in dict.fromkeys(name for name in names if name in task_vars):
            try:
                values[name] = self._templar.template(task_vars[name])
            except AnsibleError as error:
                cause = "" if name in secret else unresolved(task_vars[name], str(error.message))
                unreadable.append(f"{name}: {cause or NO_TEMPLATE}.")
        return values, unreadable


def _declared(role: Path) -> dict[str, Any]:
    path = role / "meta" / "argument_specs.yml"
    if not path.exists():
        raise AnsibleActionFail(f"check_variables needs {path} to know the variables.")
    # By libyaml, where it is: a tenth of the time, for each role and host of a call.
    specs = yaml_load(path.read_text(encoding="utf-8"))["argument_specs"]
    return {n: o for part in specs.values() for n, o in (part.get("options") or {}).items()}


def _origin(name: str, task_vars: dict[str, Any]) -> str:
    """Which variable has been set, where one only passes its value on to the next."""
    other = origin(task_vars[name])
    return _origin(other, task_vars) if other and other in task_vars else name

"""Run a module in this process, with its real effects, and give what it reports."""

from __future__ import annotations

import contextlib
import io
import json
from types import ModuleType
from typing import Any
from unittest import mock

from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args


class ModuleFailed(Exception):  # noqa: N818 - reads as what happened
    """The module ended with fail_json; the message is what a person reads."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result
        super().__init__(result["msg"])


def run_module(
    module: ModuleType, *, check: bool = False, diff: bool = True, **params: Any
) -> dict[str, Any]:
    """Give the result of exit_json; raise ModuleFailed on fail_json."""
    arguments = {"_ansible_check_mode": check, "_ansible_diff": diff, **params}
    said = io.StringIO()
    quietly = contextlib.redirect_stdout(said), contextlib.suppress(SystemExit)
    with as_on_a_host(), patch_module_args(arguments), quietly[0], quietly[1]:
        module.main()
    result: dict[str, Any] = json.loads(said.getvalue().strip().splitlines()[-1])
    if result.get("failed"):
        raise ModuleFailed(result)
    return result


def as_on_a_host() -> contextlib.AbstractContextManager[Any]:
    """Undo what Ansible remembers when another test has imported parts of the controller."""
    return mock.patch.multiple(
        _internal, is_controller=False, import_controller_module=lambda _name: None
    )


def four_beats(module: ModuleType, **params: Any) -> list[dict[str, Any]]:
    """Check, real, check, real: the results must tell one consistent story, and are given."""
    beats = [run_module(module, check=check, **params) for check in (True, False, True, False)]
    assert [beat["changed"] for beat in beats] == [True, True, False, False]
    assert beats[0].get("diff") == beats[1].get("diff")
    return beats

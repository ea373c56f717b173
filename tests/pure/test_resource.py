"""The shared main(): what is applied, when, and what is reported."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError


class Recorder(SimpleNamespace):
    """The part of AnsibleModule that is used, which remembers."""

    def __init__(self, check_mode: bool) -> None:
        super().__init__(params={}, check_mode=check_mode, warnings=[], report={})

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def exit_json(self, **report: object) -> None:
        self.report = report

    def fail_json(self, msg: str, **_rest: object) -> None:
        self.report = {"failed": msg}


@pytest.mark.parametrize(
    ("reasons", "check", "applied"),
    [([], False, 0), ([], True, 0), (["why", "too"], True, 0), (["why", "too"], False, 1)],
)
def test_only_a_real_run_with_a_reason_applies(reasons, check, applied):
    calls = []

    def apply() -> dict[str, object]:
        calls.append(1)
        return {"learned": 2}

    module = Recorder(check)
    plan = resource.Plan(
        reasons, apply, [{"before": "a", "after": "b"}], {"path": "/x"}, ["careful"]
    )
    resource.run(module, lambda _params: plan)
    learned = {"learned": 2} if applied else {}
    assert len(calls) == applied
    assert module.warnings == ["careful"]
    assert module.report == {
        "changed": bool(reasons),
        "reason": "; ".join(reasons),
        "diff": [{"before": "a", "after": "b"}],
        "path": "/x",
        **learned,
    }


@pytest.mark.parametrize("place", ["decide", "apply"])
def test_an_error_is_one_line_wherever_it_comes_from(place):
    def broken(*_arguments: object) -> dict[str, object]:
        raise NotebookError("is full", "/home", "Free some")

    def decide(_params: object) -> resource.Plan:
        return broken() if place == "decide" else resource.Plan(["why"], broken)

    module = Recorder(check_mode=False)
    resource.run(module, decide)
    assert module.report == {"failed": "/home: is full. Free some"}

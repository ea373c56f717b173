"""One variable decides what is installed, and what the profile says, to keep outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from playbooks import CHECKOUT, run_playbook

ROLES = CHECKOUT / "roles"
VARIABLE = "nbserver_profile_keeps_outputs"
NBMODEL, COLLABORATION = "jupyter-server-nbmodel==0.2.9", "jupyter-collaboration==5.0.4"
FOR_EVER = {"YDocExtension.document_cleanup_delay": None}
OWN = {"MappingKernelManager.cull_idle_timeout": 7}


def asked(role: str, option: str) -> str:
    """What the role's own task hands to its module."""
    tasks = yaml.safe_load((ROLES / role / "tasks" / "apply.yml").read_text())
    module = next(value for name, value in tasks[0].items() if name.startswith("hpcc.notebook."))
    given: str = module[option]
    return given


@pytest.mark.parametrize(
    ("given", "installed", "options"),
    [
        ({}, [], OWN),
        ({VARIABLE: False}, [], OWN),
        ({VARIABLE: "no"}, [], OWN),
        ({VARIABLE: True}, [NBMODEL, COLLABORATION], {**FOR_EVER, **OWN}),
        ({VARIABLE: "yes"}, [NBMODEL, COLLABORATION], {**FOR_EVER, **OWN}),
    ],
    ids=str,
)
def test_it_is_off_unless_it_was_asked_for(
    given: dict[str, object], installed: list[str], options: dict[str, object], tmp_path: Path
) -> None:
    roles = ("anaconda", "nbserver_profile")
    files = [
        str(ROLES / role / kind / "main.yml") for role in roles for kind in ("defaults", "vars")
    ]
    setup = yaml.safe_load((CHECKOUT / "playbooks" / "setup.yml").read_text())[0]["vars"]
    found = {
        "packages": asked("anaconda", "packages"),
        "options": asked("nbserver_profile", "options"),
    }
    play = {
        "vars_files": files,
        "tasks": [
            {
                "name": "Show",
                "ansible.builtin.copy": {
                    "dest": str(tmp_path / "found"),
                    "content": "{{ found | to_json }}",
                },
                "vars": {"found": found, "anaconda_keeps_outputs": setup["anaconda_keeps_outputs"]},
            }
        ],
    }
    given = {"anaconda_packages": ["own"], "nbserver_profile_options": OWN, **given}
    done = run_playbook(tmp_path, play, **given)
    assert done.code == 0, done.output
    assert json.loads((tmp_path / "found").read_text()) == {
        "packages": ["own", *installed],
        "options": options,
    }

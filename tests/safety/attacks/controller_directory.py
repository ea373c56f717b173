"""The victim types a playbook's name in a directory of the controller that others write to.

Ansible reads no ansible.cfg there. Nothing else that lies there may run, either: what Ansible looks
for beside a playbook, what Python looks for in its working directory, a collection of our name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from people import done
from report import Report
from terminal import BIN

from attacks.planted_names import unworkable
from attacks.screen import play

LINES = (
    "doctor", "setup --check", "setup", "start", "status", "connect --check", "restart", "parallel",
    "teardown --check", "stop",
)  # fmt: skip
MODULES = ("json", "logging", "ansible", "yaml", "cryptography", "sitecustomize", "pty", "select")
COLLECTION = "collections/ansible_collections/hpcc/notebook"
# What runs when it is loaded, by the place that it lies at.
PROGRAMS = (
    *(f"{name}.py" for name in MODULES),
    *(f"{name}/__init__.py" for name in MODULES),
    "library/notebook_server.py", "library/reach.py", "action_plugins/notebook_server.py",
    "action_plugins/reach.py", "filter_plugins/hers.py", "callback_plugins/hers.py",
    "vars_plugins/hers.py", "lookup_plugins/hers.py", "connection_plugins/ssh.py",
    "module_utils/basic.py", "strategy_plugins/linear.py",
    f"{COLLECTION}/plugins/action/notebook_server.py", f"{COLLECTION}/plugins/action/reach.py",
    f"{COLLECTION}/plugins/module_utils/_common/errors.py",
)  # fmt: skip
CONFIGURATION = """[defaults]
library = ./library
action_plugins = ./action_plugins
callback_plugins = ./callback_plugins
filter_plugins = ./filter_plugins
vars_plugins = ./vars_plugins
callbacks_enabled = hers
collections_path = ./collections
roles_path = ./roles
"""
TASK = "- ansible.builtin.command: touch {proof}\n  delegate_to: localhost\n"
ROLES = ("anaconda", "nbserver", "nbserver_profile", "lmod_module", "parallel", "teardown")
# The settings of ansible.cfg one by one, since what ends a run would hide the others.
CARELESS: Mapping[tuple[str, str], Mapping[str, object]] = {
    ("ANSIBLE_CONFIG", "ansible.cfg"): {"tasks": []},
    ("ANSIBLE_ROLES_PATH", "roles"): {"gather_facts": False, "roles": ["anaconda"]},
    ("ANSIBLE_ACTION_PLUGINS", "action_plugins"): {
        "gather_facts": False, "tasks": [{"notebook_server": {}}],
    },
    ("ANSIBLE_COLLECTIONS_PATH", "collections"): {
        "gather_facts": False, "roles": ["hpcc.notebook.anaconda"],
    },
}  # fmt: skip
CAUGHT = {
    "callback_plugins/hers.py", "action_plugins/notebook_server.py",
    "roles/anaconda/tasks/main.yml", f"{COLLECTION}/roles/anaconda/tasks/main.yml",
}  # fmt: skip
CAREFUL = {"ANSIBLE_CONFIG": ""}  # as for a person who has none of her own


def directory_of_the_controller(report: Report, *, short: bool = False) -> None:
    """Every playbook from there, with nothing that says which configuration counts."""
    done("setup")
    done("stop")  # whatever an attack before this one has made of the server
    with _directory() as place:
        labels = [*_plant(place), *_plant_roles(place)]
        _require_dangerous(place)
        for line in LINES[:1] if short else LINES:
            screen = play(*line.split(), cwd=str(place), environment=CAREFUL)
            ran = _ran(place)
            for label in labels:
                report.note(
                    f"{label} in the controller's directory", *(["it ran"] * (label in ran)),
                    what="programs in the controller's working directory", line=line,
                )  # fmt: skip
            report.note(f"{line} in the controller's directory", *unworkable(screen))


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="hijack-") as name:
        place = Path(name)
        place.chmod(0o1777)
        (place / "proofs").mkdir()
        yield place


def _proof(place: Path, label: str) -> Path:
    return place / "proofs" / label.replace("/", "!")


def _plant(place: Path) -> Sequence[str]:
    (place / "ansible.cfg").write_text(CONFIGURATION)
    for program in PROGRAMS:
        path = place / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(_proof(place, program))!r}, 'w').close()\n")
    return PROGRAMS


def _plant_roles(place: Path) -> Sequence[str]:
    labels = []
    for role in ROLES:
        for top in ("roles", f"{COLLECTION}/roles"):
            label = f"{top}/{role}/tasks/main.yml"
            for name in ("main.yml", "preflight.yml", "apply.yml"):
                path = (place / label).with_name(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(TASK.format(proof=_proof(place, label)))
            labels.append(label)
    return labels


def _require_dangerous(place: Path) -> None:
    """Each is run by whoever believes the directory: its Python, or its ansible.cfg."""
    for module in MODULES:
        subprocess.run(
            [sys.executable, "-S", "-c", f"import {module}"], cwd=place, capture_output=True,
            check=False,
        )  # fmt: skip
    ran = _ran(place)
    missing = [name for name in MODULES if not {f"{name}.py", f"{name}/__init__.py"} & ran]
    assert not missing, f"Python does not import {missing}"
    book = place / "proofs" / "careless.yml"  # not beside the plugins, which Ansible would load
    for believed, task in CARELESS.items():
        name, where = believed
        book.write_text(json.dumps([{"hosts": "localhost", **task}]))
        subprocess.run(
            [str(BIN / "ansible-playbook"), str(book), "-c", "local"], cwd=place,
            env={**_unconfigured(), name: where}, capture_output=True, check=False,
        )  # fmt: skip
        book.unlink()
    missing = sorted(CAUGHT - _ran(place))
    assert not missing, f"Ansible does not run {missing} when it believes the directory"


def _unconfigured() -> Mapping[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("ANSIBLE_")}


def _ran(place: Path) -> set[str]:
    proofs = list((place / "proofs").iterdir())
    for proof in proofs:
        proof.unlink()
    return {proof.name.replace("!", "/") for proof in proofs}

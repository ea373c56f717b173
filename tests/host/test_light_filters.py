"""Ansible loads all filters in the process of each task, and compiles what they import anew."""

from __future__ import annotations

import subprocess
import sys

from playbooks import CHECKOUT

LOADED = """
import importlib, pathlib, sys
sys.path.insert(0, "playbooks/collections")
for path in pathlib.Path("plugins/filter").glob("*.py"):
    importlib.import_module(f"ansible_collections.hpcc.notebook.plugins.filter.{path.stem}")
print(*sorted(name for name in sys.modules if name.startswith("ansible_collections.hpcc")))
"""
HEAVY = ("_doctor.checks", "_installation", "_trust", "_job", "crypto", "_connect", "proof")


def test_filters_bring_no_more_than_they_need() -> None:
    """`doctor_document` once brought all checks of the doctor: 0.1 s of each task."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert [name for name in loaded if name.endswith("filter.doctor_document")]
    assert not [name for name in loaded if any(part in name for part in HEAVY)]

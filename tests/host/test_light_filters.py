"""Each task of each host looks for the filter control_path, and so reads all filters.

What a filter needs is read when it is used. A task waited 0.1 s for what it never used.
"""

from __future__ import annotations

import json
import subprocess
import sys

from playbooks import CHECKOUT

LOOKED_FOR = """
import json, sys
from ansible.plugins.loader import filter_loader, init_plugin_loader

def ours():
    return [name for name in sys.modules if name.startswith("ansible_collections.hpcc.notebook.")]

init_plugin_loader([sys.argv[1]])
name = filter_loader.get("hpcc.notebook.control_path").j2_function
found = ours()
name({})
print(json.dumps([found, ours()]))
"""
BODIES = """
import importlib, pathlib, sys
sys.path.insert(0, "playbooks/collections")
ROOT = "ansible_collections.hpcc.notebook.plugins.plugin_utils._filters"
for path in pathlib.Path("plugins/plugin_utils/_filters").glob("*.py"):
    importlib.import_module(f"{ROOT}.{path.stem}")
print(*sorted(name for name in sys.modules if name.startswith("ansible_collections.hpcc")))
"""
HEAVY = ("_doctor.checks", "_installation", "_trust", "_job", "crypto", "_connect", "proof")
# To name the login; each of these is small.
NAMED_BY = {
    "module_utils._common.errors",
    "module_utils._common.printable",
    "module_utils._ssh.options",
    "plugin_utils._filters.control_path",
    "plugin_utils._ssh.login_name",
    "plugin_utils._ssh.ssh_options",
}


def modules(names: list[str]) -> set[str]:
    """Those that are no packages."""
    short = {name.partition(".plugins.")[2] for name in names} - {""}
    return {name for name in short if not any(other.startswith(f"{name}.") for other in short)}


def test_a_task_reads_no_more_than_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOKED_FOR, str(CHECKOUT / "playbooks" / "collections")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found, named = (modules(names) for names in json.loads(done.stdout))
    filters = {f"filter.{path.stem}" for path in (CHECKOUT / "plugins" / "filter").glob("*.py")}
    assert found == filters
    assert named - found == NAMED_BY


def test_filters_bring_no_more_than_they_need() -> None:
    """`doctor_document` once brought all checks of the doctor: 0.1 s of each task."""
    done = subprocess.run(
        [sys.executable, "-c", BODIES], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert [name for name in loaded if name.endswith("_filters.doctor_document")]
    assert not [name for name in loaded if any(part in name for part in HEAVY)]

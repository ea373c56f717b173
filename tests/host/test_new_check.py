"""A new check of the doctor is one file: its question, its judgement, its place in the report."""

from __future__ import annotations

import pytest
from copied_tree import CopiedTree

SUBJECT = "plugins/module_utils/_doctor/node.py"
CHECK = '''\
def umbrella(seen: Seen) -> Finding | None:
    """It rains."""
    found = seen.all("umbrella")
    return warning("umbrella", f"has {' and '.join(found)}", "take another") if found else None


QUESTIONS = {
'''
DOCTOR = """
import subprocess, sys
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.checks import findings
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import Seen
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.summary import report
from ansible_collections.hpcc.notebook.plugins.plugin_utils._doctor import examination
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import Ended

class ThisComputer:
    def open(self):
        pass

    def run(self, program, _timeout):
        done = subprocess.run(sys.argv[1:], input=program, capture_output=True, text=True)
        return Ended(done.returncode, done.stdout, done.stderr)

examination._forwarding = lambda _session, _seen: {}
settings = {"PREFIX": "~/none", "PROFILE": "nobody", "MODULE": "none", "PORT": 1, "ASKED": "x",
            "MODULES": "~/none"}
print(*report(findings(Seen(examination.node(ThisComputer(), [], settings)))), sep="\\n")
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> CopiedTree:
    tree = CopiedTree(tmp_path_factory.mktemp("tree") / "t")
    tree.edit(
        SUBJECT, "QUESTIONS = {\n", CHECK + '    "umbrella": "echo holes; echo \'a hook\'",\n'
    )
    tree.edit(
        SUBJECT, "    open_files,\n    load,\n", "    open_files,\n    load,\n    umbrella,\n"
    )
    return tree


def test_it_takes_one_file(tree: CopiedTree) -> None:
    assert tree.by_hand == {SUBJECT}


@pytest.mark.parametrize("shell", ["dash -s", "bash -s", "busybox sh -s"])
def test_an_invented_check_is_in_the_report(tree: CopiedTree, shell: str) -> None:
    printed = tree.python("-c", DOCTOR, *shell.split())
    assert "warning  umbrella: has holes and a hook\n         -> take another\n" in printed
    assert "\nok       open files: up to " in printed, "the others are there, too"
    assert "room at home: " in printed

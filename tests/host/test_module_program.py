"""A module as one program: what goes to the node, what comes back, and what neither decides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.imported import PACKAGE
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import execution
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import module_program as sending
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import sent_program
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.module_program import (
    module_program,
)

MODULES = Path(__file__).parents[2] / "plugins" / "modules"
PASSWORD = "a walk along the Red Cedar"
ON_A_NODE = [p.stem for p in sorted(MODULES.glob("*.py")) if "AnsibleModule(" in p.read_text()]


def ran(name: str, home: Path, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """What the module answers in a Python that has nothing of Ansible in its path."""
    sent = module_program(name, arguments, check=check)
    done = subprocess.run(
        [sys.executable, "-I", "-S"], input=sent.program, env={"HOME": str(home)}, cwd=home,
        capture_output=True, check=False,
    )  # fmt: skip
    answer = sent.answer(done.stdout.decode())
    assert answer is not None, done.stderr.decode()
    return answer


@pytest.mark.parametrize("name", ON_A_NODE)
def test_what_a_module_takes_is_known_without_loading_what_it_does(name: str) -> None:
    needed = sent_program.sources(f"{PACKAGE}.module_utils._options.{name}")
    assert not [each for each in needed if "_edges" in each or "modules." in each]


def test_it_runs_without_ansible_and_leaves_nothing_but_what_it_makes(tmp_path: Path) -> None:
    files = [{"path": str(tmp_path / "a"), "content": "b\n"}]
    foretold = ran("text_files", tmp_path, check=True, files=files)
    assert list(tmp_path.iterdir()) == []
    made = ran("text_files", tmp_path, files=files)
    assert foretold == made
    assert made["changed"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert not ran("text_files", tmp_path, files=files)["changed"]


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    answer = ran("notebook_password", tmp_path, password="short")
    assert (answer["failed"], answer["changed"]) == (True, False)
    assert "\n" not in answer["msg"]


@pytest.mark.parametrize("name", ON_A_NODE)
def test_an_option_that_there_is_not_is_refused_before_anything_is_sent(name: str) -> None:
    with pytest.raises(NotebookError, match=r"module: colour|missing"):
        module_program(name, {"colour": "red"}, check=True)


def test_options_that_exclude_one_another_and_other_types_are_refused() -> None:
    both = {"password": PASSWORD, "password_hash": "a"}
    for bad in (both, {"days": "soon"}, {"state": "away"}):
        with pytest.raises(NotebookError) as failed:
            module_program("notebook_profile", bad, check=False)
        assert PASSWORD not in str(failed.value)


def test_only_the_answer_with_the_mark_of_this_call_counts() -> None:
    sent = module_program("notebook_server_info", {}, check=False)
    earlier = module_program("notebook_server_info", {}, check=False)
    said = f'{{"a": 1}}\n{earlier.mark} {{"a": 2}}\n{sent.mark} {{"a": 3}}\nbye\n'
    assert sent.answer(said) == {"a": 3}
    assert sent.answer(f'[1] Done{sent.mark} {{"a": "\\u2028"}}\r\n[2]') == {"a": "\u2028"}
    assert sent.answer(f'{earlier.mark} {{"a": 2}}\n') is None


def test_a_node_decides_about_nothing_of_the_controller_and_shows_no_password() -> None:
    sent = module_program("notebook_password", {"password": PASSWORD}, check=False)
    planted = {
        "ansible_facts": {"ansible_python_interpreter": "/tmp/x"}, "_ansible_no_log": False,
        "changed": False, "path": f"/x/{PASSWORD}",
    }  # fmt: skip
    answer = sent.answer(f"{sent.mark} {json.dumps(planted)}\n")
    assert answer == {"changed": False, "path": "/x/********"}


def test_an_old_python_says_what_it_is() -> None:
    program = module_program("notebook_server_info", {}, check=False).program.decode()
    old = "import sys; sys.version_info = (3, 6); sys.version = '3.6.8 (x)'\n"
    done = subprocess.run(
        [sys.executable, "-I"], input=old + program, capture_output=True, text=True, check=False
    )
    assert done.stderr == "error: Python 3.8 or newer is needed, and this is 3.6.8\n"
    assert done.returncode


RUN_TEXTS = """
import json, sys
source, texts = json.loads(sys.stdin.read())
runner = {"__name__": "runner"}
exec(source, runner)
runner["run"](texts, "ours.module", {"params": {}, "check_mode": False, "mark": "mark"})
"""


def ran_texts(module: str) -> subprocess.CompletedProcess[str]:
    """A module beside one that no Python can compile."""
    texts = {"ours.module": module, "ours.parts.broken": "def ("}
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN_TEXTS], capture_output=True, text=True, check=False,
        input=json.dumps([Path(execution.__file__).read_text(), texts]),
    )  # fmt: skip


def test_what_a_run_does_not_use_is_not_compiled() -> None:
    unused = "from ours.parts import broken\ndef main(): print('worked')\n"
    assert ran_texts(unused).stdout == "worked\n"
    used = ran_texts("from ours.parts import broken\ndef main(): broken.work()\n")
    assert 'File "hpcc.notebook/ours.parts.broken.py", line 1' in used.stderr
    assert "SyntaxError" in used.stderr


def test_texts_are_packed_once_for_all_hosts_where_ansible_loads_the_action() -> None:
    script = (
        "from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import module_program\n"
        "from ansible_collections.hpcc.notebook.plugins.action import notebook_profile\n"
        "before = module_program.texts.cache_info().misses\n"
        "module_program.module_program('notebook_profile', {}, check=False)\n"
        "print(before, module_program.texts.cache_info().misses - before)\n"
    )
    path = str(Path(__file__).parents[2] / "playbooks" / "collections")
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": path, "HOME": "/nonexistent"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "1 0\n", done.stderr


def test_a_program_carries_the_texts_of_its_own_module_alone() -> None:
    whole = len(sending.texts("notebook_server"))
    assert len(sending.texts("text_files")) < whole / 2

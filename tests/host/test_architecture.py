"""The shape of the house holds. Each question is first shown to be able to fail."""

import re
from pathlib import Path

import architecture
import pytest

CHECKOUT = Path(__file__).parents[2]
TEST_FOLDERS = ("tests/support", "tests/pure", "tests/host")
PLUGINS = CHECKOUT / "plugins"
ROLES = CHECKOUT / "roles"

# The files of module_utils that touch the machine, and why each may.
SIDE_EFFECTS = {
    "module_utils/_edges/files": "reads and writes files",
    "module_utils/_edges/processes": "starts processes and looks at /proc",
    "module_utils/_edges/meters": "reads the limits of cgroups",
    "module_utils/_edges/quotas": "asks the tools for quotas",
    "module_utils/_edges/room": "takes room on a disk, and gives it back",
    "module_utils/_doctor/inside": "is a program that looks at the profile and its server",
    "module_utils/_server/probe": "asks a server over the network",
    "module_utils/_server/readiness": "waits until a server answers",
    "module_utils/_server/observe": "sees what runs, through those above",
    "module_utils/_server/place": "chooses a directory of the node, through those above",
    "module_utils/_server/session": "keeps a server in tmux, through the processes",
    "module_utils/_server/start": "starts a server, through those above",
    "module_utils/_server/stop": "stops a server, through those above",
    "module_utils/_server/report": "lets a server answer before it is called running",
    "module_utils/_server/usage": "measures processes, through those above",
    "module_utils/_server/meter_service": "is loaded by the server and looks at its processes",
    "module_utils/_server/meter_bundle": "holds the sources of what measures",
    "module_utils/_server/info": "looks at what runs, and asks it",
    "module_utils/_edges/generations": "reads the links of an installation",
    "module_utils/_edges/execution": "runs a module and prints its answer",
    "module_utils/_edges/own_text": "reads our own texts",
    "module_utils/_installation/file_list": "reads and extends the list of an installation",
    "module_utils/_ssh/config_file": "asks ssh, through processes, and writes through files",
    "module_utils/_profile/profile_resource": "looks at a profile and makes it, through files",
    "module_utils/_profile/certificate_resource": "looks at the pair and makes it, through files",
    "module_utils/_profile/password_resource": "looks at the hash and writes it, through files",
    "module_utils/_profile/proof": "lets the installed software try what is to replace the live",
    "module_utils/_profile/scratch": "makes a private directory for a while",
    "module_utils/_profile/removal": "looks at what lies in a profile, through files",
    "module_utils/_profile/option_trial": "is a program that asks Jupyter",
    "module_utils/_profile/kernel_trial": "is a program that starts a kernel",
    "module_utils/_profile/environment_kernels": "is loaded by the server and looks at directories",
    "module_utils/_server/kernel": "lets a kernel compute, through processes and files",
    "module_utils/_job/scheduler": "speaks to the scheduler, through cluster_helper",
    "module_utils/_job/entrance": "logs in from a job, through processes and files",
    "module_utils/_job/look": "asks the scheduler and reads files, through those above",
    "module_utils/_job/report": "asks who the person is",
    "module_utils/_job/submit": "submits a job, through those above",
    "module_utils/_job/replacement": "leaves what a restart and a job tell one another, by files",
    "module_utils/_job/restart": "has a job start another server, through those above",
    "module_utils/_job/stop": "ends a job, through those above",
    "module_utils/_job/succession": "replaces the record of a job by that of its successor",
    "module_utils/_job/control": "chooses among these",
    "module_utils/_job/supervisor": "is the program of a job, and its server's parent",
    "module_utils/_server/trial": "starts a server beside, through those above",
    "module_utils/_server/control": "chooses between starting and stopping",
}
_TOUCHING = """
    fcntl ftplib glob http http.client multiprocessing os pathlib pwd shutil signal socket ssl
    subprocess tempfile threading urllib.request
"""
TOUCHING = _TOUCHING.split()
# The files that may need more than the standard library: the last two are programs that ask it.
ALLOWED = {
    "module_utils/_profile/crypto": ["cryptography"],
    "module_utils/_profile/option_trial": ["jupyter_server", "traitlets"],
    "module_utils/_profile/kernel_trial": ["jupyter_client"],
    "module_utils/_profile/environment_kernels": ["ipykernel", "jupyter_client"],
    "module_utils/_server/meter_service": ["jupyter_server", "tornado"],
}


def python_files(*packages):
    """Relative names without an ending, and the files, of these packages of plugins/."""
    paths = (path for name in packages for path in sorted((PLUGINS / name).rglob("*.py")))
    return [(str(path.relative_to(PLUGINS).with_suffix("")), path) for path in paths]


def role_files(*parts):
    paths = (path for part in parts for path in sorted(ROLES.glob(f"*/{part}/*")))
    return [(str(path.relative_to(CHECKOUT)), path) for path in paths if path.is_file()]


def complaints(files, question):
    """What a question says about each of the files, by name; good files are left out."""
    assert files
    answers = {name: question(name, path.read_text(encoding="utf-8")) for name, path in files}
    return {name: answer for name, answer in answers.items() if answer}


FROM = f"from {architecture.COLLECTION}"


@pytest.mark.parametrize(
    ("question", "bad", "good"),
    [
        (
            lambda s: architecture.wrong_direction("module_utils", s),
            f"def f():\n    {FROM}.modules.notebook_server import main",
            f"{FROM}.module_utils._rules.rules import require",
        ),
        (
            lambda s: architecture.wrong_direction("modules", s),
            f"{FROM}.plugin_utils._installation import packages",
            f"{FROM}.module_utils._rules import rules",
        ),
        (
            lambda s: architecture.wrong_direction("modules", s),
            "from ..module_utils._rules import rules",
            "import os",
        ),
        (
            lambda s: architecture.foreign_packages("module_utils", s),
            "import json, yaml",
            "import json, os.path\nfrom urllib.parse import urlsplit",
        ),
        (
            lambda s: architecture.foreign_packages("module_utils", s),
            "from ansible.module_utils.basic import AnsibleModule",
            f"{FROM}.module_utils._rules.rules import require",
        ),
        (
            lambda s: architecture.foreign_packages("modules", s),
            "from ansible.module_utils.common.text import x",
            "from ansible.module_utils.basic import AnsibleModule",
        ),
        (
            lambda s: architecture.foreign_packages("module_utils", s),
            "import importlib\nx = importlib.import_module('cryptography.x509')",
            "import importlib\nx = importlib.import_module('json')",
        ),
        (
            lambda s: architecture.impure(s, SIDE_EFFECTS, TOUCHING),
            f"{FROM}.module_utils._edges import files",
            f"{FROM}.module_utils._rules import rules",
        ),
        (
            lambda s: architecture.impure(s, SIDE_EFFECTS, TOUCHING),
            "from subprocess import run",
            "import posixpath",
        ),
        (
            architecture.too_new,
            "from __future__ import annotations\nmatch x:\n    case 1: pass",
            "from __future__ import annotations\nif (x := 1): pass",
        ),
        (architecture.too_new, "x: int | None = 1", "from __future__ import annotations\nx = 1"),
        (
            lambda s: architecture.long_functions(s, {"main": 2}),
            "def main():\n    a\n    b",
            "def main():\n    a\n\ndef other():\n    a\n    b",
        ),
        (architecture.bad_examples, "EXAMPLES = '- a: [1'", "EXAMPLES = '- a: 1'"),
        (architecture.bad_examples, "X = 1", "EXAMPLES = '- a: 1'"),
        (
            architecture.short_names,
            "- block:\n    - {name: x, file: {path: x}}",
            "- {name: x, ansible.builtin.file: {path: x}, when: true}",
        ),
        (
            architecture.quoted_commands,
            "- block:\n    - ansible.builtin.raw: |\n        a\n        b",
            "- hpcc.notebook.modulefile: {name: raw}",
        ),
        (
            architecture.homes_that_a_shell_expands,
            "- ansible.builtin.file: {path: ~/x, state: directory}",
            "- ansible.builtin.file: {path: '{{ found.home }}/x'}\n- hpcc.notebook.x: {path: ~/x}",
        ),
        (
            architecture.own_commands,
            "class A:\n    def run(self):\n        self._low_level_execute_command('grep x y')",
            "class A:\n    def run(self):\n        self._low_level_execute_command(':')",
        ),
        (
            architecture.unexplained_connections,
            "class A(ActionBase):\n    def run(self):\n        self._execute_module()",
            "class A(NodeModule):\n    def run(self):\n        self._execute_module()",
        ),
        (
            architecture.unexplained_connections,
            "class A(NodeModule):\n    def run(self):\n        self._connection.put_file(a, b)",
            "class A(NodeModule):\n    def run(self):\n        self._transfer_file(a, b)",
        ),
        (architecture.untyped_messages, "raise X(str(error))", "raise X(typed(str(error)))"),
        (architecture.forbidden_words, "- become: true", "# never become root\n- x: y"),
        (architecture.forbidden_words, "raw: rm x || true", "raw: rm x # || true"),
        (architecture.forbidden_words, "- ansible.builtin.set_fact: {a: 1}", "- a: 1"),
        (
            lambda s: architecture.other_roles(s, "anaconda", ["anaconda", "lmod_module"]),
            "dependencies:\n  - role: lmod_module",
            "anaconda_name: lmod_module\n- hpcc.notebook.conda_distribution: {name: anaconda}",
        ),
        (
            lambda s: architecture.other_roles(s, "anaconda", ["anaconda", "lmod_module"]),
            "import_role: {name: hpcc.notebook.lmod_module}",
            "import_role: {name: hpcc.notebook.anaconda}",
        ),
        (
            lambda s: architecture.unreachable(["module_utils/_rules/rules"], [s]),
            f"{FROM}.module_utils._common import errors",
            f"{FROM}.module_utils._rules import rules",
        ),
        (
            lambda s: architecture.unreachable(["module_utils/_rules/rules"], [s]),
            "import rules",
            f"{FROM}.module_utils._rules.rules import require",
        ),
        (lambda s: architecture.code_lines(s) > 2, "---\na\nb", "---\n# a\n\nb"),
    ],
)
def test_a_question_can_be_answered_either_way(question, bad, good):
    assert question(bad)
    assert not question(good)


def test_imports_point_downwards_only():
    files = python_files(*architecture.MAY_IMPORT)
    assert not complaints(files, lambda n, s: architecture.wrong_direction(n.split("/")[0], s))


def test_what_runs_on_the_cluster_needs_the_standard_library_only():
    def question(name, source):
        return architecture.foreign_packages(name.split("/")[0], source, ALLOWED.get(name, []))

    assert not complaints(python_files("modules", "module_utils"), question)


def test_pure_files_touch_nothing():
    pure = [(n, path) for n, path in python_files("module_utils") if n not in SIDE_EFFECTS]
    assert not complaints(
        pure, lambda _name, source: architecture.impure(source, SIDE_EFFECTS, TOUCHING)
    )


def test_files_with_side_effects_exist_and_say_so():
    for name in SIDE_EFFECTS:
        head = (PLUGINS / f"{name}.py").read_text(encoding="utf-8")[:400].lower()
        assert "side effects" in head, name


def test_what_runs_on_the_cluster_is_read_by_python_3_8():
    files = python_files("modules", "module_utils")
    assert not complaints(files, lambda _name, source: architecture.too_new(source))


def test_modules_are_thin():
    files = python_files("modules")
    assert not complaints(files, lambda _, s: architecture.long_functions(s, {"main": 25}))
    assert not complaints(files, lambda _, s: max(0, len(s.splitlines()) - 250))


def test_every_module_has_examples_that_can_be_copied():
    assert not complaints(python_files("modules"), lambda _, s: architecture.bad_examples(s))


def test_every_action_is_documented_where_people_look():
    actions = {path.stem for _name, path in python_files("action") if path.parent.name == "action"}
    assert actions <= {path.stem for _name, path in python_files("modules")}


def test_roles_do_not_know_one_another():
    roles = [path.name for path in ROLES.iterdir()]
    files = role_files("tasks", "meta", "handlers", "templates", "defaults", "vars")
    assert not complaints(
        files, lambda name, text: architecture.other_roles(text, name.split("/")[1], roles)
    )


def test_tasks_name_their_collection_and_take_no_shortcuts():
    files = role_files("tasks", "handlers")
    assert not complaints(files, lambda _name, text: architecture.short_names(text))
    every = role_files("tasks", "handlers", "templates", "files", "defaults", "vars", "meta")
    assert not complaints(every, lambda _name, text: architecture.forbidden_words(text))


def test_no_login_shell_parses_a_program_of_ours():
    files = role_files("tasks", "handlers")
    files += [(path.name, path) for path in sorted((CHECKOUT / "playbooks").glob("*.yml"))]
    assert not complaints(files, lambda _name, text: architecture.quoted_commands(text))
    assert not complaints(files, lambda _name, text: architecture.homes_that_a_shell_expands(text))
    rooms = ("_installation/host_shell", "_node/node_module", "_node/reaching")
    senders = {f"plugin_utils/{name}" for name in rooms}
    files = [(n, path) for n, path in python_files("action", "plugin_utils") if n not in senders]
    assert not complaints(files, lambda _name, source: architecture.own_commands(source))


def test_what_an_action_says_of_an_error_holds_commands_for_the_same_hosts():
    files = python_files("action")
    assert not complaints(files, lambda _name, text: architecture.untyped_messages(text))


def test_every_connection_that_fails_is_explained_in_one_place():
    files = python_files("action", "plugin_utils")
    found = complaints(files, lambda _name, text: architecture.unexplained_connections(text))
    assert found == {"plugin_utils/_node/reaching": ["ReachingCommands"]}


def test_playbooks_can_be_read_at_a_glance():
    """A screen of variables at most, and then one task for each role that is taken."""
    files = [(path.name, path) for path in sorted((CHECKOUT / "playbooks").glob("*.yml"))]
    lines = complaints(files, lambda _name, text: architecture.code_lines(taking_no_role(text)))
    assert {name: count for name, count in lines.items() if count > 19} == {}


def taking_no_role(text):
    return re.sub(r"^    - \{name: .*\n(?:       .*\n)?", "", text, flags=re.MULTILINE)


def test_no_file_is_out_of_use():
    packages = ("module_utils", "plugin_utils")
    helpers = [name for name, _path in python_files(*packages) if not name.endswith("/__init__")]
    sources = [path.read_text(encoding="utf-8") for _name, path in python_files("")]
    assert not architecture.unreachable(helpers, sources)


def test_no_helper_of_the_tests_is_out_of_use():
    helpers = {path.stem for path in (CHECKOUT / "tests/support").glob("*.py")}
    files = [path for part in TEST_FOLDERS for path in (CHECKOUT / part).glob("*.py")]
    sources = [path.read_text(encoding="utf-8") for path in files]
    used = set().union(*map(architecture.imports, sources))
    sent = {name for name in helpers if any(f'"{name}.py"' in source for source in sources)}
    assert sorted(helpers - used - sent) == []

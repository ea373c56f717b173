"""Every command that the product advises can be typed as it is printed."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import call_variables
from test_doctor import CASES, ONLY_TELLING, seen
from typed import PLAIN, WORDS, commands, loose

CHECKOUT = Path(__file__).parents[2]
PLAYBOOKS = CHECKOUT / "playbooks"
ROOMS = [CHECKOUT / "plugins", CHECKOUT / "packages" / "cluster_helper" / "cluster_helper"]
SOURCES = [path for room in ROOMS for path in sorted(room.rglob("*.py"))]
SAID = re.compile(r'(?:REMEDY=|\\\n\s+|say |fail "[^"]*" )"((?:[^"\\]|\\.)*)"')


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text, without docstrings; a value in it is a word."""
    parts: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            parts.add(node.value)
        if isinstance(node, ast.JoinedStr):
            parts |= set(node.values)
            yield "".join(
                getattr(part, "value", "") if isinstance(part, ast.Constant) else "X"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value


def advised() -> Iterator[str]:
    """What the doctor advises, in each of its cases."""
    for check, (well, *cases) in CASES.items():
        for answers in (well, *(each for _level, each, _said in cases)):
            yield check(seen(answers)).todo
    for check, answers in ONLY_TELLING.items():
        yield check(seen(answers)).todo


ADVICE = list(dict.fromkeys(filter(None, advised())))
COMMANDS = list(dict.fromkeys(command for advice in ADVICE for command in commands(advice)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rm /x/y", ["rm /x/y"]),
        ("make room; on the node: du -xhd1 ~", ["du -xhd1 ~"]),
        (
            "on the node `rm /x`, then here `ansible-playbook a.b.c`",
            ["rm /x", "ansible-playbook a.b.c"],
        ),
        ("ask the site", []),
    ],
)
def test_a_command_is_found_where_a_person_sees_it(text: str, found: list[str]) -> None:
    assert commands(text) == found
    assert loose(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "pkill -USR1 -u $USER tmux recreates its socket",
        "export TMPDIR=~/tmp while you build",
        "rm /x/y, then ansible-playbook hpcc.notebook.start",
        "/opt/a/bin/conda install tmux; or ask the site",
        "Choose another, or chmod o-w it",
        "Run ansible-playbook hpcc.notebook.setup again.",
        "Consider chmod g-w on it",
    ],
)
def test_a_command_that_runs_into_words_is_found_as_one(text: str) -> None:
    assert loose(text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_text_lets_a_command_run_into_words(path: Path) -> None:
    found = [text for text in texts(ast.parse(path.read_text(encoding="utf-8"))) if loose(text)]
    assert found == []


@pytest.mark.parametrize("path", sorted((CHECKOUT / "plugins").rglob("*.sh")), ids=lambda p: p.name)
def test_no_program_for_a_node_says_a_command_that_runs_into_words(path: Path) -> None:
    said = SAID.findall(path.read_text(encoding="utf-8"))
    assert [text for text in said if " " in text and loose(text.replace('\\"', '"'))] == []


def test_the_commands_of_the_playbooks_have_one_home() -> None:
    here = [path for path in SOURCES if "ansible-playbook hpcc" in path.read_text(encoding="utf-8")]
    assert [path.name for path in here if path.parent.name != "modules"] == ["commands.py"]


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs that note that they were called; whatever else is typed is not found."""
    directory = tmp_path_factory.mktemp("stubs")
    for name in f"{PLAIN}|{WORDS}".split("|"):
        (directory / name).write_text("#!/bin/sh\nexit 0\n")
        (directory / name).chmod(0o755)
    return directory


@pytest.mark.parametrize("shell", ["sh", "bash", "tcsh", "zsh"])
def test_what_the_doctor_advises_is_understood_by_the_shell_that_it_is_pasted_into(
    shell: str, stubs: Path, tmp_path: Path
) -> None:
    assert len(COMMANDS) >= 20
    failed = {}
    for command in COMMANDS:
        own = re.sub(r"^\S*/(?=conda )", "", command)
        if shell == "tcsh" and own.partition(" ")[0] in ("export", "ulimit", "mkdir"):
            continue  # words of the other shells
        done = subprocess.run(
            [f"/bin/{shell}", "-c", own], capture_output=True, text=True, check=False,
            env={"HOME": str(tmp_path), "PATH": str(stubs), "USER": "alice"},
        )  # fmt: skip
        if done.returncode:
            failed[command] = done.stderr
    assert failed == {}


def test_a_playbook_that_is_advised_exists_and_takes_what_it_is_told() -> None:
    known = {
        name
        for file in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml")
        for point, spec in yaml.safe_load(file.read_text())["argument_specs"].items()
        if point != "secrets"
        for name in spec["options"]
    }
    for command in COMMANDS:
        for name in re.findall(r"hpcc\.notebook\.(\w+)", command):
            assert (PLAYBOOKS / f"{name}.yml").exists(), command
        assert set(re.findall(r"-e (\w+)=", command)) <= known, command


INVENTORY = "[hpcc_dev]\ndev1 ansible_connection=local\ndev2 ansible_connection=local\n"
CALLS = {
    "a file": (["-i", "my.ini"], {}, "-i my.ini"),
    "a name with a blank": (["-i", "sub/my own.ini"], {}, "-i 'sub/my own.ini'"),
    "two of them": (["-i", "my.ini", "-i", "more.ini"], {}, "-i my.ini -i more.ini"),
    "a name like an option": (["-i", "./-x.ini"], {}, "-i ./-x.ini"),
    "one of two hosts": (["-i", "my.ini", "--limit", "dev2"], {}, "-i my.ini --limit dev2"),
    "all but one host": (["-i", "my.ini", "-l", "!dev1"], {}, "-i my.ini --limit '!dev1'"),
    "a variable": (
        ["-i", "my.ini", "-e", "nbserver_profile_name=thesis nbserver_state=restarted"],
        {},
        "-i my.ini -e nbserver_profile_name=thesis",
    ),
    "values with blanks": (
        ["-i", "my.ini", "-e", '{"anaconda_packages": ["a>1"], "nbserver_cores": 4, "x": 1}'],
        {},
        """-i my.ini -e '{"anaconda_packages": ["a>1"]}' -e '{"nbserver_cores": 4}'""",
    ),
    "a file of variables": (
        ["-e", "@sub/my own.yml", "-i", "my.ini"],
        {},
        "-i my.ini -e '@sub/my own.yml'",
    ),
    "secrets": (
        [
            *("-i", "my.ini", "-e", "nbserver_profile_password=red-cedar"),
            *("-e", "anaconda_index_url=https://me:pw@pypi.example/simple ansible_password=p"),
            *("-e", '{"nbserver_profile_options": {"IdentityProvider.token": "t"}}'),
        ],
        {},
        "-i my.ini",
    ),
    "how hosts are reached": (
        ["-i", "my.ini", "-u", "alice", "--private-key", "sub/id", "--ssh-common-args=-F x"],
        {},
        "-i my.ini -u alice --private-key sub/id --ssh-common-args '-F x'",
    ),
    "the user of ansible.cfg": (["-i", "my.ini"], {"ANSIBLE_REMOTE_USER": "bob"}, "-i my.ini"),
    "variables alone": (
        ["-e", "ansible_user=b"],
        {"ANSIBLE_INVENTORY": "my.ini"},
        "-e ansible_user=b",
    ),
    "the environment": ([], {"ANSIBLE_INVENTORY": "my.ini"}, ""),
    "ansible.cfg": ([], {"ANSIBLE_CONFIG": "own.cfg"}, ""),
}


@pytest.mark.parametrize(("options", "settings", "added"), CALLS.values(), ids=CALLS)
def test_a_command_that_is_printed_is_for_the_hosts_of_the_call(
    options: list[str], settings: dict[str, str], added: str, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("my.ini", "sub/my own.ini", "-x.ini"):
        (tmp_path / name).write_text(INVENTORY)
    (tmp_path / "sub" / "my own.yml").write_text("nbserver_profile_name: thesis\n")
    (tmp_path / "sub" / "id").touch(mode=0o600)
    (tmp_path / "more.ini").write_text("[hpcc_gateway]\ngw\n")
    (tmp_path / "own.cfg").write_text("[defaults]\ninventory = my.ini\n")
    hosts = ["dev2"] if "limit" in added else ["dev1", "dev2"]
    start = shlex.join(["ansible-playbook", "hpcc.notebook.start", *options])
    said = _typed(start, tmp_path, settings)
    words = f"ansible-playbook hpcc.notebook.setup {added}".strip()
    for host in hosts:
        assert re.search(rf"failed +{host}: .*Install it first: {re.escape(words)}$", said, re.M)
    # And now what was said, in the same place; it is refused before anything is changed.
    then = _typed(words, tmp_path, settings)
    refused = re.findall(r"^failed +(\w+): anaconda_distribution", then, re.M)
    assert sorted(refused) == hosts, then


def test_no_secret_of_a_role_is_repeated_and_each_name_that_holds_once_is_there() -> None:
    options = [
        option
        for file in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml")
        for point in yaml.safe_load(file.read_text())["argument_specs"].values()
        for option in point["options"].items()
    ]
    assert set(call_variables.ONCE.split()) <= {name for name, _spec in options}
    for name, spec in options:
        words = list(call_variables.repeated([f"{name}=canary"], str))
        assert not (words and spec.get("no_log")), name
        assert bool(words) != (bool(spec.get("no_log")) or name in call_variables.ONCE.split())


def _typed(line: str, directory: Path, settings: Mapping[str, str]) -> str:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(directory),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(directory / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(PLAYBOOKS / "collections"),
        "ANSIBLE_STDOUT_CALLBACK": "hpcc.notebook.calm",
        "ANSIBLE_NOCOLOR": "1",
        **settings,
    }
    done = subprocess.run(
        ["sh", "-c", line], cwd=directory, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr
